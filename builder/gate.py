"""What the Hub asks of whoever wants a release of real scans, once its repository is gated.

The text alone gates nothing: `python -m builder publish --gated`, or the settings of the repository, switch it on.
See https://huggingface.co/docs/hub/datasets-gated.
"""

from typing import Any

from builder.responsible_use import MISUSES


def gate(source: str) -> dict[str, Any]:
    """The gating entries of a card's YAML; none for phantoms, which show nobody.

    Args:
        source: Of the release's scans.
    """
    if source == "phantom":
        return {}
    return {
        "extra_gated_heading": "Tell what you want these scans for",
        "extra_gated_prompt": "These are CT scans of patients, some with a nodule that a generative model put in or "
        f"took out. They are for research on finding such manipulation. {' '.join(MISUSES)}",
        "extra_gated_fields": {
            "Name": "text",
            "Affiliation": "text",
            "Country": "country",
            "Intended use": {
                "type": "select",
                "options": [
                    "Training or judging detectors of manipulated images",
                    "Making new manipulations to test detectors with",
                    "Teaching",
                    {"label": "Other", "value": "other"},
                ],
            },
            "What I want to do": "text",
            "I will not use the scans for diagnosis, nor to train or judge diagnostic models": "checkbox",
            "I will not pass manipulated scans off as anybody's examination": "checkbox",
            "I will not try to find out who a patient is": "checkbox",
            "I will follow the licence and cite the sources in ATTRIBUTION.md": "checkbox",
        },
        "extra_gated_button_content": "Agree and ask for access",
    }
