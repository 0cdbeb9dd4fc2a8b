"""The memory curve of a rehearsal, as a picture."""

from pathlib import Path

from builder.rehearsal.rehearsal import Rehearsal
from m3dsynth_dataset.staging import staged

LIMIT_MIB = 2048
"""Of a worker."""


def draw_curve(rehearsals: list[Rehearsal], path: Path) -> None:
    """Draw memory over the time of a build; with a smaller rehearsal beside it, both over their share of the time.

    Args:
        rehearsals: The largest last.
        path: PNG to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    for rehearsal in rehearsals:
        watch = rehearsal.watch
        share = [100 * second / rehearsal.seconds for second in watch.seconds]
        (line,) = axes.plot(share, watch.largest_mib, label=f"largest process, {rehearsal.series} series")
        axes.plot(
            share, watch.total_mib, ":", color=line.get_color(), label=f"all processes, {rehearsal.series} series"
        )
    axes.axhline(LIMIT_MIB, color="0.6", linewidth=1)
    axes.annotate("2 GiB, the limit of one process", (100, LIMIT_MIB), ha="right", va="bottom", color="0.4")
    axes.set(xlabel="share of the build's time in %", ylabel="resident memory in MiB", xlim=(0, 100), ylim=(0, None))
    axes.legend(frameon=False)
    with staged(path) as place:
        figure.savefig(place, format="png", dpi=120)
