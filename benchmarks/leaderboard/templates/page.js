
"use strict";
// What is shown stands in the page's address, so that it can be shared: #measure=pd&generator=dm&sort=pd/dm-removal
const form = document.querySelector(".controls");
const boards = [...document.querySelectorAll(".board")];
const published = [...document.querySelectorAll(".published")];
const LESS_IS_BETTER = "control";
const state = new Map();
const asWritten = new Map(published.map((table) => [table, [...table.tBodies]]));

const chosen = (name) => state.get(name) || "all";

function read() {
  state.clear();
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) state.set(name, value);
  for (const name of ["measure", "generator", "manipulation"]) {
    if (![...form.elements[name].options].some((option) => option.value === chosen(name))) state.delete(name);
  }
}

function write() {
  const text = [...state].map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2F", "/")}`).join("&");
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}

function board() {
  const among = boards.filter((each) => !state.has("protocol") || each.dataset.protocol === state.get("protocol"));
  return boards.find((each) => each.dataset.board === state.get("board")) || among[0] || boards[0];
}

// Which columns: one measure over the groups, or one group in all measures.
function isShown(head, isReference) {
  const { measure, group, generator, manipulation } = head.dataset;
  if (!measure) return true;
  if (chosen("measure") !== "all" && chosen("measure") !== measure) return false;
  if (measure === LESS_IS_BETTER) return true;
  const matches = (name, value) => chosen(name) === "all" || chosen(name) === value;
  if (isReference) return matches("generator", generator);
  if (chosen("generator") === "all" && chosen("manipulation") === "all") return chosen("measure") !== "all" || group === "overall";
  return generator !== "" && matches("generator", generator) && matches("manipulation", manipulation);
}

function figure(body, key) {
  const cell = key === "name" ? body.querySelector("th") : body.querySelector(`td[data-key="${key}"]`);
  if (!cell || cell.dataset.value === undefined) return null;
  return key === "name" ? cell.dataset.value : Number(cell.dataset.value);
}

function compared(one, other) {
  return typeof one === "string" ? one.localeCompare(other, "en") : one - other;
}

function order(table, key, isAscending) {
  const bodies = [...table.tBodies].map((body) => [figure(body, key), body]);
  bodies.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return isAscending ? compared(one, other) : compared(other, one);
  });
  for (const [, body] of bodies) table.append(body);
  for (const head of table.tHead.rows[0].cells) {
    head.setAttribute("aria-sort", head.dataset.key !== key ? "none" : isAscending ? "ascending" : "descending");
  }
}

// Equal figures share a place; the best has the first, whichever way the table runs.
function number(table, key) {
  const sign = key.startsWith(LESS_IS_BETTER) ? 1 : -1;
  const values = [...table.tBodies].map((body) => figure(body, key));
  [...table.tBodies].forEach((body, index) => {
    const value = values[index];
    const better = values.filter((other) => other !== null && sign * other < sign * value).length;
    body.querySelector(".rank").textContent = key === "name" || value === null ? "\u2013" : better + 1;
  });
}

const startsAscending = (key) => key === "name" || key.startsWith(LESS_IS_BETTER);

function arrange(table) {
  const name = table.dataset.sort;
  const isReference = asWritten.has(table);
  const heads = [...table.tHead.rows[0].cells];
  for (const head of heads) {
    const hidden = !isShown(head, isReference);
    head.hidden = hidden;
    if (head.dataset.measure) for (const cell of table.querySelectorAll(`td[data-key="${head.dataset.key}"]`)) cell.hidden = hidden;
  }
  const shown = heads.filter((head) => !head.hidden);
  for (const cell of table.querySelectorAll(".about > td")) cell.colSpan = shown.length;
  const wanted = (state.get(name) || "").replace(/^[+-]/, "");
  const head = shown.find((each) => each.dataset.key === wanted) || (isReference ? null : shown[1] || shown[0]);
  if (!head) {
    table.append(...asWritten.get(table));
    for (const each of heads) each.setAttribute("aria-sort", "none");
    return null;
  }
  const key = head.dataset.key;
  const turned = head.dataset.key === wanted && state.get(name).startsWith("-");
  order(table, key, startsAscending(key) !== turned);
  return head;
}

function describe(section, head) {
  const count = section.querySelectorAll("tbody").length;
  const [over, title] = [...head.querySelectorAll("span")].map((span) => span.textContent.trim());
  const noun = count === 1 ? "entry" : "entries";
  const figures = [...section.querySelectorAll("thead th[data-measure]:not([hidden])")];
  const empty = chosen("measure") !== LESS_IS_BETTER && figures.every((each) => each.dataset.measure === LESS_IS_BETTER);
  const how = head.dataset.key === "name" ? "by name, without ranks" : `ranked by ${title}, ${over}`;
  section.querySelector(".status").textContent = empty
    ? "This board has no such samples."
    : `${count} ${noun}, ${how}. In per cent, with 95\u00a0% intervals over patients.`;
}

function show() {
  const current = board();
  for (const each of boards) each.hidden = each !== current;
  if (current) {
    const table = current.querySelector("table");
    const head = arrange(table);
    number(table, head.dataset.key);
    describe(current, head);
    form.elements.protocol.value = current.dataset.protocol;
    form.elements.board.value = current.dataset.board;
    for (const option of form.elements.board.options) option.hidden = option.dataset.protocol !== current.dataset.protocol;
  }
  for (const name of ["measure", "generator", "manipulation"]) form.elements[name].value = chosen(name);
  for (const table of published) {
    arrange(table);
    table.closest(".table").hidden = !table.querySelector("thead th[data-measure]:not([hidden])");
  }
  document.querySelector(".nothing").hidden = published.some((table) => !table.closest(".table").hidden);
}

form.addEventListener("change", (event) => {
  const { name, value } = event.target;
  if (value === "all") state.delete(name);
  else state.set(name, value);
  if (name === "protocol") state.delete("board");
  if (name === "board") state.delete("protocol");
  write();
  show();
});
form.addEventListener("submit", (event) => event.preventDefault());

document.addEventListener("click", (event) => {
  const name = event.target.closest(".entries .name");
  if (name) {
    const about = document.getElementById(name.getAttribute("aria-controls"));
    about.hidden = !about.hidden;
    name.setAttribute("aria-expanded", String(!about.hidden));
  }
  const head = event.target.closest("thead th");
  if (head) {
    const key = head.dataset.key;
    const isTurned = head.getAttribute("aria-sort") === (startsAscending(key) ? "ascending" : "descending");
    state.set(head.closest("table").dataset.sort, `${isTurned ? "-" : ""}${key}`);
    write();
    show();
  }
  const jump = event.target.closest("[data-jump]");
  if (jump) {
    event.preventDefault(); // the address keeps what is shown
    document.querySelector(jump.getAttribute("href")).scrollIntoView();
  }
});

window.addEventListener("hashchange", () => { read(); show(); });
form.hidden = false;
for (const about of document.querySelectorAll(".about")) about.hidden = true;
read();
show();
