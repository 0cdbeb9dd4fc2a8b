// Filters stand in the address, so that a link, the way back from a sample, and a reload keep them.
(() => {
  "use strict";
  const form = document.querySelector(".filters");
  const selects = [...form.querySelectorAll("select")];
  const cards = [...document.querySelectorAll(".cards li")];

  function show() {
    let count = 0;
    const chosen = new URLSearchParams();
    for (const select of selects) if (select.value) chosen.set(select.name, select.value);
    for (const card of cards) {
      card.hidden = [...chosen].some(([name, value]) => card.dataset[name] !== value);
      count += !card.hidden;
      const link = card.querySelector("a");
      link.href = `sample.html#${[link.dataset.slug, ...(chosen.size ? [chosen] : [])].join("&")}`;
    }
    form.querySelector("output").value = `${count} of ${cards.length} samples`;
    document.documentElement.dataset.shown = count;
    return chosen;
  }

  function restore() {
    const chosen = new URLSearchParams(location.hash.slice(1));
    for (const select of selects) {
      const value = chosen.get(select.name) ?? "";
      select.value = [...select.options].some((option) => option.value === value) ? value : "";
    }
    show();
  }

  form.addEventListener("change", () => history.replaceState(null, "", `#${show()}`));
  form.addEventListener("reset", () => setTimeout(() => history.replaceState(null, "", `#${show()}`)));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", restore);
  addEventListener("pageshow", restore);
  restore();
})();
