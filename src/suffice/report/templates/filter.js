// Shows the items that match the three fields; without it, all of them are there to read.
(() => {
  const form = document.getElementById("filter");
  const groups = [...document.querySelectorAll("details.group")];
  const said = new Map();
  for (const pair of document.querySelectorAll(".pair")) said.set(pair, pair.textContent.toLowerCase());
  const apply = () => {
    const { group, family, text } = Object.fromEntries(new FormData(form));
    const wanted = text.trim().toLowerCase();
    let shown = 0;
    for (const details of groups) {
      let here = 0;
      for (const pair of details.querySelectorAll(".pair")) {
        const fits = (!group || details.dataset.group === group)
          && (!family || pair.dataset.family === family)
          && said.get(pair).includes(wanted);
        pair.hidden = !fits;
        here += fits;
      }
      details.hidden = !here;
      if (here && (group || family || wanted)) details.open = true;
      shown += here;
    }
    form.querySelector("output").textContent = `${shown} of ${said.size} items`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
