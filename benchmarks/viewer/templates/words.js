// What the page says of a sample beside its pictures.

const byId = (id) => document.getElementById(id);

/** All that is text. */
function describe(line, sample, place) {
  document.title = `${line.id}, ${m3d.about.name}`;
  byId("name").textContent = line.id;
  Object.assign(byId("label"), { textContent: line.label, className: `label ${line.label}` });
  const words = [line.manipulation === "none" ? "unaltered" : `${line.manipulation} by ${line.generator}`, line.patient, line.split];
  byId("about").textContent = words.join(" · ");
  Object.assign(byId("notice"), { textContent: sample.notice, className: line.label });
  byId("facts").replaceChildren(...sample.facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  byId("verdict").hidden = !sample.verdict;
  if (sample.verdict) byId("verdict").replaceChildren(...judged(sample, place));
  const siblings = m3d.samples.filter((each) => each.place === line.place);
  byId("siblings-title").hidden = byId("siblings").hidden = siblings.length < 2;
  byId("siblings").replaceChildren(...siblings.map((each) => sibling(each, line)));
}

function judged({ edit, verdict }, place) {
  const { score, peak, f1 } = verdict;
  const meter = element("div", "", "meter");
  const bar = element("i", "");
  bar.style.width = `${100 * score}%`;
  meter.append(bar);
  const highest = peak
    ? `highest ${peak.probability.toFixed(2)} at z ${peak.zyx[0]}, y ${peak.zyx[1]}, x ${peak.zyx[2]}` +
      (edit ? `, ${distance(peak.zyx, place).toFixed(0)} mm from the site` : "")
    : "an empty map";
  return [
    element("h2", `Judged by ${m3d.about.detector}`),
    element("p", `score ${score.toFixed(3)}`),
    meter,
    element("p", highest, "faint"),
    ...(f1 === null ? [] : [element("p", `F1 of the map at 0.5: ${f1.toFixed(3)}`, "faint")]),
  ];
}

/** From a voxel to the site, in mm. */
function distance(zyx, place) {
  return Math.hypot(...zyx.map((each, axis) => (each - place.centre[axis]) * place.spacing_mm[axis]));
}

function sibling(each, line) {
  const link = element("a", "");
  link.href = address(each);
  if (each.slug === line.slug) link.setAttribute("aria-current", "true");
  link.append(element("span", each.label === "pristine" ? "unaltered" : each.generator), element("span", each.score === null ? each.label : each.score.toFixed(2), "faint"));
  const item = document.createElement("li");
  item.append(link);
  return item;
}

function element(name, text, className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}
