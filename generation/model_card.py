"""The card that goes to the Hub with an inpainter's weights."""

TEMPLATE = """---
{{ card_data }}
---

# An inpainter of lung CT cubes

One of the generators of the open, reproducible form of M3Dsynth (Zingarini et al., ICASSP 2024): it fills the inner
16 mm of a cube of 32 mm of lung CT so that a nodule appears or disappears.

Each `.safetensors` file here is one inpainter. It holds the network, its config, the equalisation tables that it
needs, and what it has learned from, as metadata; no pickle.

```python
from generation.zoo import trainable

inpainter = trainable("dm").from_pretrained("{{ repo_id | default('ORG/NAME', true) }}", manipulation="injection")
```

## Use

For research on the detection of manipulated medical images. Not for clinical use. Do not use it to alter the record
of any person: its results are marked as synthetic wherever this project writes them, and must stay so.
"""
