import pyarrow.compute as pc
import pytest

from generation.choice import choose
from generation.cubes import CubeStore
from generation.errors import GenerationError
from generation.examination import examine
from generation.weights import load


def test_inpainters_are_judged_by_patients_that_none_has_learned_from(store, weights):
    learned = load(weights).account.provenance.patients
    rows = {(row.generator, row.manipulation): row for row in examine(choose(weights.parent), store)}
    assert list(rows) == [("identity", "injection"), ("pix2pix", "injection"), ("identity", "removal")]
    table = store.training("injection")[1]
    new = pc.invert(pc.is_in(table["patient_id"], pc.cast(learned, "string")))
    for name in ("identity", "pix2pix"):
        row = rows[name, "injection"]
        assert (row.real_cubes, row.real_cubes + row.reference_cubes) == (pc.sum(new).as_py(), table.num_rows)
        assert row.site_cubes == sum(
            patient not in learned for patient in store.sites("injection")[1]["patient_id"].to_pylist()
        )
        assert row.ring_error_hu == 0


def test_without_a_learner_every_cube_is_new(store, tmp_path):
    rows = list(examine(choose(tmp_path), store))
    assert [(row.real_cubes, row.reference_cubes, row.site_cubes) for row in rows] == [(32, 0, 8), (32, 0, 8)]


def test_a_store_of_known_patients_alone_is_refused(store, weights, tmp_path):
    learned = load(weights).account.provenance.patients
    chosen = pc.is_in(store.table["patient_id"], pc.cast(list(learned), "string"))
    parts = []
    for kind in ("site", "training"):
        rows = store.table.filter(pc.and_(chosen, pc.equal(store.table["kind"], kind)))
        parts.append(rows.set_column(1, "index", [list(range(rows.num_rows))]))
    import pyarrow as pa

    arrays = [store.group["sites"][: parts[0].num_rows], store.group["training"][: parts[1].num_rows]]
    bare = CubeStore.write(tmp_path / "c", *arrays, pa.concat_tables(parts))
    with pytest.raises(GenerationError, match="has no cube for injection of a patient"):
        list(examine(choose(weights.parent), bare))
