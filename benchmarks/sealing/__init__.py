"""Sealing: a release's test as a challenge, of which nobody but its organiser has the answers.

In a release the answers lie open: a tampered sample is a box over a pristine volume, and two samples of one scan can be
subtracted from each other. So of every test patient one version of one scan goes out, pristine, tampered or control,
drawn with a secret; only of scans that have tampered versions, so that the lot alone decides. All go out in one form: a
whole volume, written by the writer of the pristine ones, under a name that says nothing, in an order that says nothing,
with no column but those of the scan itself. The public release commits itself to the labels by their sha256; the labels
hold a secret, so that they cannot be guessed from it.

What sealing cannot do:

- Whoever has the originals can subtract them. LIDC-IDRI is public, phantoms are computed again from their seed, and a
  release that was published before it was sealed has given everything away. What keeps a test is scans that nobody has.
  The control's share helps a little, since its samples differ from their originals too.
- Whoever has the generators can fill a place again from what surrounds it, and compare. Publish their weights later.
- Each score that is given out tells something of the labels. How many submissions a team has is for the organiser.
- One sample for each patient is few. That is the price: a second version would give both away.
"""

from benchmarks.sealing.challenge import Sealed, seal
from benchmarks.sealing.drawing import Shares

__all__ = ["Sealed", "Shares", "seal"]
