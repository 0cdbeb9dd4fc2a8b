import hashlib

from m3dsynth_dataset.manifest import Manifest, digest_of, record_files


def test_the_manifest_lists_every_file_with_its_size_and_checksum(release_path):
    listed = Manifest.read(release_path).files
    files = {p.relative_to(release_path).as_posix(): p for p in release_path.rglob("*") if p.is_file()}
    assert listed.keys() == files.keys() - {"manifest.json"}
    for name, record in listed.items():
        data = files[name].read_bytes()
        assert (record.size, record.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_the_digest_is_of_everything_but_the_card(release_path):
    manifest = Manifest.read(release_path)
    files = record_files(release_path)
    assert digest_of(files) == manifest.digest
    assert digest_of({name: files[name] for name in files if name != "README.md"}) == manifest.digest
    assert digest_of({name: files[name] for name in files if name != "LICENSE"}) != manifest.digest
