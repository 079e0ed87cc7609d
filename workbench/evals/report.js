// Filters and search of the report. The page reads without it; what it needs stands in data attributes.
(() => {
  const bar = document.getElementById("bar");
  const rows = [...document.querySelectorAll("details.r")];
  const none = document.querySelector(".none");
  const search = document.getElementById("search");
  const score = document.getElementById("score");
  const buttons = [...bar.querySelectorAll("[data-filter]")];
  const facts = rows.map((row) => ({
    row, kinds: row.dataset.kinds.split(" "), change: JSON.parse(row.dataset.change), text: row.textContent.toLowerCase(),
  }));
  let filter = "all";

  const fits = ({ kinds, change }, which) => {
    const moved = change[score ? score.value : Object.keys(change)[0]];
    if (which === "improved") return moved === 1;
    if (which === "regressed") return moved === -1;
    return which === "all" || kinds.includes(which);
  };
  const draw = () => {
    const words = search.value.toLowerCase();
    let shown = 0;
    for (const fact of facts) {
      const on = fits(fact, filter) && fact.text.includes(words);
      fact.row.hidden = !on;
      shown += on;
    }
    none.hidden = shown > 0;
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
      button.querySelector("small").textContent = facts.filter((f) => fits(f, button.dataset.filter)).length.toLocaleString("en");
    }
  };
  for (const button of buttons) button.addEventListener("click", () => { filter = button.dataset.filter; draw(); });
  search.addEventListener("input", draw);
  if (score) score.addEventListener("change", draw);
  bar.hidden = false;
  draw();
})();
