"use strict";
(() => {
  const root = document.documentElement;
  const words = JSON.parse(document.body.dataset.words);
  const counted = (forms, n, places, said) => (forms[new Intl.PluralRules(root.lang, { minimumFractionDigits: places }).select(n)] || forms.other).replace("{n}", said);
  const pages = [...document.querySelectorAll("article.page")];
  const links = [...document.querySelectorAll("nav.contents a")];

  // Pages: one at a time, by the address alone, so that the back button and links work.
  const show = (first) => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = (id && document.getElementById(id)) || pages[0];
    const page = target.closest("article.page") || pages.find((p) => !p.hidden) || pages[0];
    for (const p of pages) p.hidden = p !== page;
    const place = page.dataset.parent || page.id;
    for (const a of links) {
      if (a.dataset.page === place) a.setAttribute("aria-current", "page");
      else a.removeAttribute("aria-current");
    }
    for (let d = target.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    if (target === page || !id) window.scrollTo(0, 0);
    else target.scrollIntoView();
    if (!first && target !== document.getElementById("main")) {
      const heading = page.querySelector("h1");
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
  };
  root.classList.add("js");
  window.addEventListener("hashchange", () => show(false));
  show(true);

  // Tables: sorted by a click on a heading, searched by a box above.
  const value = (row, place) => {
    const cell = row.cells[place];
    const v = cell.dataset.v ?? cell.textContent.trim();
    const n = v === "-inf" ? -Infinity : Number(v);
    return v !== "" && !Number.isNaN(n) ? n : v;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((th, place) => {
      const label = th.querySelector(".v");
      const button = document.createElement("button");
      button.type = "button";
      button.append(...label.childNodes);
      label.append(button);
      button.addEventListener("click", () => {
        const up = th.getAttribute("aria-sort") === "descending" || (!th.hasAttribute("aria-sort") && !th.classList.contains("n"));
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        th.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows].map((row) => [value(row, place), row]);
        rows.sort(([a], [b]) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), root.lang)) * (up ? 1 : -1));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }
  for (const table of document.querySelectorAll("table.searched")) {
    const box = document.createElement("input");
    box.type = "search";
    box.placeholder = words.search;
    box.setAttribute("aria-label", words.searchIn.replace("{table}", () => table.caption.textContent));
    box.className = "search";
    box.addEventListener("input", () => {
      const wanted = box.value.toLocaleLowerCase();
      for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
    });
    table.closest(".scroll").before(box);
  }

  // Treatments: any two side by side.
  for (const compare of document.querySelectorAll(".compare")) {
    const cards = [...compare.querySelectorAll(".card")];
    if (cards.length < 3) continue;
    const bar = document.createElement("p");
    bar.className = "chooser";
    const chosen = [0, 1].map((number) => {
      const select = document.createElement("select");
      select.setAttribute("aria-label", number ? words.andSegment : words.compareSegment);
      cards.forEach((card, place) => select.add(new Option(card.dataset.name, place, place === number, place === number)));
      select.addEventListener("change", choose);
      return select;
    });
    const all = document.createElement("button");
    all.type = "button";
    all.textContent = words.all.replace("{n}", cards.length);
    all.addEventListener("click", () => { for (const card of cards) card.hidden = false; });
    bar.append(words.compare + " ", chosen[0], " " + words.with + " ", chosen[1], " ", all);
    compare.before(bar);
    function choose() {
      const wanted = chosen.map((select) => Number(select.value));
      cards.forEach((card, place) => { card.hidden = !wanted.includes(place); card.style.order = wanted[0] === place ? 0 : 1; });
    }
    choose();
  }

  // The age of the data on the day it is read.
  for (const place of document.querySelectorAll("[data-as-of]")) {
    const days = Math.floor((Date.now() - Date.parse(place.dataset.asOf)) / 864e5);
    const [forms, n, places] = days < 90 ? [words.days, days, 0] : days < 730 ? [words.months, Math.round(days / 30.44), 0] : [words.years, days / 365.25, 1];
    if (days >= 0) {
      place.title = place.textContent;
      const said = n.toLocaleString(root.lang, { minimumFractionDigits: places, maximumFractionDigits: places });
      place.textContent = counted(forms, n, places, said);
    }
  }
})();
