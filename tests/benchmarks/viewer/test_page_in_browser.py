"""The pages in headless Chromium: that they draw the release's voxels, where they belong, and obey."""

import base64
import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
import tiny_release

from benchmarks.viewer import view

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed; the pages' scripts are not tried out"
)

DRAWN = """
window.addEventListener("error", (event) => { document.documentElement.dataset.failed = event.message; });
addEventListener("unhandledrejection", (event) => { document.documentElement.dataset.failed = String(event.reason); });
// Without a screen Chromium makes frames only when it likes to.
window.requestAnimationFrame = (draw) => setTimeout(draw, 1);
const frame = () => new Promise((done) => setTimeout(done, 5));
async function drawn(id) {
  while (document.documentElement.dataset.drawn !== id) await frame();
  await frame();
}
const press = async (key, target = document.body) => {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  await frame();
};
/** Grey or colour of the picture in the middle of a voxel (z, y, x). */
function pixel(pane, zyx) {
  const { x, y, dx, dy } = pane.seen;
  const place = m3d.viewer.place;
  const at = (axis, from, step) => Math.floor(from + (turned(place, axis, zyx[axis]) + 0.5) * step);
  const [column, row] = [at(pane.right, x, dx), at(pane.down, y, dy)];
  return [...pane.canvas.getContext("2d").getImageData(column, row, 1, 1).data].slice(0, 3);
}
function pixels(pane, voxels) { return voxels.map((zyx) => pixel(pane, zyx)); }
const text = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
"""


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """What a script of the test's own returns that runs at the end of a page."""
    profile = tmp_path_factory.mktemp("chromium")

    def run(page, fragment, script, size=(1200, 900)):
        tried = page.with_name("tried.html")
        wrapped = f"(async () => {{ {script} }})()"
        ending = (
            f"<script>{DRAWN}</script><script>{wrapped}.then((said) => {{ const place = document.createElement('pre'); "
            "place.id = 'said'; place.textContent = JSON.stringify(said ?? null); document.body.append(place); }, "
            "(error) => { document.documentElement.dataset.failed = String(error.stack); });</script></body>"
        )
        tried.write_text(page.read_text().replace("</body>", ending))
        command = [
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}/profile",
            "--enable-logging=stderr", f"--window-size={size[0]},{size[1]}", "--virtual-time-budget=8000", "--dump-dom",
            f"{tried.as_uri()}#{fragment}",
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        finally:
            tried.unlink()
        failed = re.findall(r'data-failed="(.*?)"', done.stdout)
        said = re.search(r'<pre id="said">(.*?)</pre>', done.stdout, re.DOTALL)
        assert said, f"the page did not draw: {failed or done.stdout[-500:]}"
        said_there = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        complaints = [line for line in said_there if "readback" not in line]  # of pixels, which only the tests do
        assert not failed
        assert not complaints
        return json.loads(html.unescape(said.group(1)))

    return run


def shade(hounsfield, level=-600, width=1500):
    return np.clip(np.floor(((np.asarray(hounsfield) - level) / width + 0.5) * 255 + 0.5), 0, 255)


CORNERS = [[z, y, x] for z in (0, 19) for y in (0, 69) for x in (0, 65)]


def voxels_of(pane, centre):
    """Some voxels of the slice through the centre: its corners, and others."""
    axis = {"axial": 0, "coronal": 1, "sagittal": 2}[pane]
    rng = np.random.default_rng(axis)
    found = [*CORNERS, *(rng.integers(0, tiny_release.SHAPE, (25, 3))).tolist()]
    for each in found:
        each[axis] = centre[axis]
    return found


@pytest.fixture(scope="module")
def session(gallery, browse):
    """All that one visit to a tampered sample shows."""
    centre = [6, 30, 41]
    asked = {pane: voxels_of(pane, centre) for pane in ("axial", "coronal", "sagittal")}
    script = f"""
    await drawn("pix2pix/inj_1");
    const {{ viewer }} = m3d, asked = {json.dumps(asked)}, said = {{ data: {{ ...document.documentElement.dataset }} }};
    const all = () => Object.fromEntries(viewer.panes.map((pane) => [pane.plane, pixels(pane, asked[pane.plane])]));
    said.bytes = text(new Uint8Array(viewer.place.region.voxels.buffer));
    said.seen = Object.fromEntries(viewer.panes.map((pane) => [pane.plane, pane.seen]));
    said.letters = Object.fromEntries(viewer.panes.map((pane) => [pane.plane, ["left", "right", "top", "bottom"]
      .map((side) => pane.figure.querySelector(`.edge.${{side}}`).textContent).join("")]));
    said.reading = viewer.panes[0].reading.textContent;
    said.stamp = viewer.stamp(true);
    for (const pane of viewer.panes) pane.drawNotice = pane.drawScale = pane.drawEdge = () => null;
    for (const key of ["m", "h", "c", "x"]) await press(key);
    said.after = all();
    await press(" ");
    said.before = all();
    said.stampBefore = viewer.stamp(true);
    await press("s");
    said.split = all();
    await press("ArrowRight");
    said.edge = viewer.state.edge;
    await press("s");
    await press("d");
    said.difference = all();
    await press("d");
    await press("3");
    said.noise = all();
    await press("1");
    await press("ArrowUp");
    await press("ArrowUp");
    said.scrolled = [...viewer.state.position];
    await press("r");
    await press("6");
    said.scan = all();
    await press("5");
    document.querySelector("[data-toggle=heat]").click();
    await frame();
    said.map = pixels(viewer.panes[0], [[6, 30, 41], [6, 60, 10]]);
    said.siblings = [...document.querySelectorAll("#siblings a")].map((each) => each.getAttribute("href"));
    said.facts = document.getElementById("facts").innerText;
    said.verdict = document.getElementById("verdict").innerText;
    said.notice = document.getElementById("notice").innerText;
    location.hash = "pristine_scan-1&patient=PHANTOM-0001";
    await drawn("pristine/scan-1");
    said.pristine = {{ position: [...viewer.state.position], hidden: document.querySelector(".group.picture").hidden,
      number: document.getElementById("number").textContent, back: document.querySelector(".back").getAttribute("href"),
      next: document.getElementById("next").getAttribute("href") }};
    return said;
    """
    return browse(gallery / "sample.html", "pix2pix_inj_1", script) | {"asked": asked}


@pytest.fixture(scope="module")
def sample(release):
    return release.sample("pix2pix/inj_1")


def values(volume, asked):
    return np.array([volume[z, y, x] for z, y, x in asked])


def drawn_greys(session, moment, pane):
    colours = np.array(session[moment][pane])
    assert (colours[:, 0] == colours[:, 1]).all()
    assert (colours[:, 0] == colours[:, 2]).all()
    return colours[:, 0]


def test_the_page_has_the_releases_voxels_and_says_those_in_the_middle(session, sample):
    found = np.frombuffer(base64.b64decode(session["bytes"]), "<i2").reshape(tiny_release.SHAPE)
    np.testing.assert_array_equal(found, sample.pristine[...])
    assert session["data"]["position"] == "6 30 41"
    assert session["data"]["before"] == str(sample.pristine[6, 30, 41])
    assert session["data"]["after"] == str(sample.ct[6, 30, 41])
    said = f"{sample.pristine[6, 30, 41]} → {sample.ct[6, 30, 41]} HU\nz 6  y 30  x 41"
    assert session["reading"].replace("\N{MINUS SIGN}", "-") == said


@pytest.mark.parametrize("pane", ["axial", "coronal", "sagittal"])
def test_voxels_are_drawn_where_they_belong_in_the_grey_of_the_window(session, sample, pane):
    before, after = (values(volume, session["asked"][pane]) for volume in (sample.pristine, sample.ct))
    assert (before != after).any()
    np.testing.assert_array_equal(drawn_greys(session, "after", pane), shade(after))
    np.testing.assert_array_equal(drawn_greys(session, "before", pane), shade(before))
    np.testing.assert_array_equal(drawn_greys(session, "noise", pane), shade(after, -850, 300))
    np.testing.assert_array_equal(drawn_greys(session, "scan", pane), shade(after))


@pytest.mark.parametrize("pane", ["axial", "coronal", "sagittal"])
def test_a_split_shows_before_on_the_left_and_after_on_the_right(session, sample, pane):
    asked = session["asked"][pane]
    right = 1 if pane == "sagittal" else 2
    half = tiny_release.SHAPE[right] / 2
    before, after = (values(volume, asked) for volume in (sample.pristine, sample.ct))
    expected = [a if voxel[right] + 0.5 > half else b for voxel, b, a in zip(asked, before, after, strict=True)]
    np.testing.assert_array_equal(drawn_greys(session, "split", pane), shade(expected))
    assert session["edge"] == pytest.approx(0.52)


def test_a_difference_is_black_where_nothing_changed_and_orange_where_it_became_denser(session, sample):
    asked = session["asked"]["axial"]
    change = values(sample.ct, asked).astype(int) - values(sample.pristine, asked)
    red, green, blue = np.array(session["difference"]["axial"]).T
    assert (change > 0).any()
    assert ((red == 0) == (change == 0)).all()
    assert ((red > green) & (green > blue))[change > 30].all()


def test_a_voxel_has_the_shape_that_it_has_in_the_patient(session):
    z, y, x = tiny_release.GEOMETRY.spacing_mm
    for pane, (down, right) in {"axial": (y, x), "coronal": (z, x), "sagittal": (z, y)}.items():
        seen = session["seen"][pane]
        assert seen["dy"] / seen["dx"] == pytest.approx(down / right)


def test_letters_name_the_patients_sides(session):
    assert session["letters"] == {"axial": "RLAP", "coronal": "RLHF", "sagittal": "APHF"}


def test_keys_scroll_towards_the_head(session):
    assert session["scrolled"] == [4, 30, 41]


def test_a_map_is_laid_over_the_scan_where_the_detector_says(session, sample):
    (red, green, blue), outside = session["map"]
    assert red > green
    assert blue > green
    assert outside == [shade(sample.ct[6, 60, 10])] * 3


def test_the_page_tells_what_the_sample_is(session, detector):
    assert "AI-tampered research image; not for diagnosis" in session["notice"]
    assert session["stamp"] == ["AI-tampered, phantom. Research image; not for diagnosis"]
    assert session["stampBefore"] == ["Before the edit, phantom. Research image; not for diagnosis"]
    assert "pix2pix-injection, train" in session["facts"]
    assert "Judged by eye <b>of</b> oracle" in session["verdict"]
    assert f"score {detector.predictions['pix2pix/inj_1'].score:.3f}" in session["verdict"]
    assert session["siblings"] == ["#pix2pix_inj_1", "#identity_inj_1"]


def test_the_next_sample_is_the_next_of_those_that_the_index_had_chosen(session):
    pristine = session["pristine"]
    assert pristine["position"] == [17, 3, 60]  # where the detector is most alarmed
    assert pristine["hidden"] is True
    assert pristine["number"] == "1 / 3"
    assert pristine["next"] == "#pix2pix_inj_1&patient=PHANTOM-0001"
    assert pristine["back"] == "index.html#patient=PHANTOM-0001"


def test_a_scan_that_was_stored_the_other_way_round_is_turned_towards_the_reader(release, browse, rewrite, tmp_path):
    prone = rewrite(release, tmp_path / "m3dsynth", lambda row: {"direction": [-1.0, 0, 0, 0, -1, 0, 0, 0, 1]})
    view(prone, tmp_path / "site", configs=["pix2pix-injection"], split="train")
    script = """
    await drawn("pix2pix/inj_1");
    const { viewer } = m3d, said = {};
    for (const key of ["m", "c", "x"]) await press(key);
    for (const pane of viewer.panes) {
      pane.drawNotice = pane.drawScale = () => null;
      pane.draw();
      const { x, y } = pane.seen, bounds = pane.canvas.getBoundingClientRect();
      const scale = pane.canvas.width / bounds.width;
      const [column, row] = [Math.max(x, 0) + 2, Math.max(y, 0) + 2];
      const voxel = pane.voxel(bounds.left + column / scale, bounds.top + row / scale);
      said[pane.plane] = [voxel, pane.canvas.getContext("2d").getImageData(column, row, 1, 1).data[0],
        pane.figure.querySelector(".edge.left").textContent + pane.figure.querySelector(".edge.top").textContent];
    }
    await press("ArrowUp");
    said.scrolled = viewer.state.position;
    return said;
    """
    said = browse(tmp_path / "site" / "sample.html", "pix2pix_inj_1", script)
    assert said["scrolled"] == [7, 30, 41]  # the head is at the last slice
    firsts = {"axial": ([6, 69, 65], "RA"), "coronal": ([19, 30, 65], "RH"), "sagittal": ([19, 69, 41], "AH")}
    for pane, (voxel, letters) in firsts.items():
        assert said[pane] == [voxel, shade(prone.sample("pix2pix/inj_1").ct[*voxel]), letters]


def test_filters_choose_and_are_kept_in_the_address(gallery, browse):
    script = """
    const shown = () => [...document.querySelectorAll(".cards li")].filter((card) => !card.hidden)
      .map((card) => card.querySelector("a").getAttribute("href"));
    const choose = async (name, value) => {
      const select = document.querySelector(`select[name=${name}]`);
      select.value = value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
      await frame();
    };
    const said = { arrived: shown() };
    await choose("generator", "");
    await choose("manipulation", "removal");
    said.removal = shown();
    said.address = location.hash;
    said.words = document.querySelector("output").textContent;
    await choose("generator", "none");
    said.none = shown();
    document.querySelector("button[type=reset]").click();
    await new Promise((done) => setTimeout(done, 50));
    said.all = shown().length;
    said.wide = document.documentElement.scrollWidth;
    said.loaded = [...document.images].every((image) => image.loading === "lazy");
    return said;
    """
    said = browse(gallery / "index.html", "generator=identity", script, size=(500, 800))
    assert said["arrived"] == [f"sample.html#identity_{site}&generator=identity" for site in ("inj_1", "rem_1")]
    assert said["removal"] == [f"sample.html#{name}_rem_1&manipulation=removal" for name in ("pix2pix", "identity")]
    assert said["address"] == "#manipulation=removal"
    assert said["words"] == "2 of 6 samples"
    assert said["none"] == []
    assert said["all"] == 6
    assert said["wide"] <= 500
    assert said["loaded"]


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("pix2pix_inj_1", "Cannot show pix2pix/inj_1: samples/pix2pix_inj_1.js is missing; copy the whole folder."),
        ("dm_inj_1", "This gallery has no sample dm_inj_1."),
    ],
)
def test_a_sample_that_is_not_there_is_said_not_to_be(gallery, browse, tmp_path, slug, words):
    copy = shutil.copytree(gallery, tmp_path / "site")
    (copy / "samples" / "pix2pix_inj_1.js").unlink()
    script = """
    const failure = document.querySelector(".failure");
    while (failure.hidden) await frame();
    return failure.textContent;
    """
    assert browse(copy / "sample.html", slug, script).startswith(words)
