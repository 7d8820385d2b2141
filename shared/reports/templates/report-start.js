// Ties the parts together.

const overview = document.getElementById("overview");
const page = document.getElementById("account");
const title = document.title;
let before = null;
let left = 0;

/** Draws what the fragment says. */
function apply() {
  state = parsed(fragment);
  const account = byId.get(state.account);
  const key = account ? `account ${account.id} ${state.focus ?? ""}` : JSON.stringify({ ...state, focus: undefined });
  if (key === before) return;
  const wasAccount = before?.startsWith("account ");
  if (account && !wasAccount) left = window.scrollY;
  before = key;
  overview.hidden = Boolean(account);
  page.hidden = !account;
  document.title = account ? `${account.name} · ${title}` : title;
  showFilters();
  if (account) {
    drawAccount(account);
    const focus = controls.find((control) => control.id === state.focus);
    const at = focus && document.getElementById(`verdict-${focus.short}`);
    window.scrollTo({ top: 0 });
    (at?.querySelector("summary") ?? document.getElementById("account-title")).focus({ preventScroll: !at });
  } else {
    page.replaceChildren();
    drawMatrix();
    if (wasAccount) window.scrollTo({ top: left });
  }
}

/** A place in the overview; it leaves the state alone. */
function scrollToPlace(id) {
  if (state.account) go({ account: undefined, focus: undefined });
  const place = document.getElementById(id);
  place?.scrollIntoView();
  const head = place?.querySelector("h2, h3, h1") ?? place;
  head?.setAttribute("tabindex", "-1");
  head?.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const anchor = event.target.closest?.("a[href^='#']");
  const cell = event.target.closest?.("[data-cell]");
  if (cell && !anchor) {
    const [account, focus] = cell.dataset.cell.split(" ");
    go({ account, focus });
    return;
  }
  if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (anchor.dataset.show) {
    reveal(...anchor.dataset.show.split(" "));
    return;
  }
  const hash = anchor.getAttribute("href");
  if (hash !== "#" && !hash.includes("=")) {
    scrollToPlace(hash.slice(1));
    return;
  }
  const wanted = parsed(hash);
  // Links in the HTML itself name what they change and nothing else.
  const change = anchor.closest("#causes")
    ? { account: undefined, focus: undefined, ...wanted }
    : Object.fromEntries(Object.keys(KEYS).map((key) => [key, wanted[key]]));
  go(change);
  if (anchor.dataset.scroll || anchor.classList.contains("show")) scrollToPlace("accounts");
});
for (const event of ["hashchange", "popstate"]) {
  window.addEventListener(event, () => {
    fragment = location.hash;
    apply();
  });
}
document.getElementById("tree").addEventListener("keydown", treeKey);

// The choice of a theme is kept where the browser lets a file keep something.
const THEMES = ["system", "light", "dark"];
const themeButton = document.getElementById("theme");
function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  themeButton.textContent = `Theme: ${theme}`;
}
let theme = "system";
try {
  theme = THEMES.includes(localStorage.getItem("ses-perimeter-theme"))
    ? localStorage.getItem("ses-perimeter-theme")
    : "system";
} catch {
  // It is not kept then.
}
setTheme(theme);
themeButton.addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  setTheme(theme);
  try {
    localStorage.setItem("ses-perimeter-theme", theme);
  } catch {
    // Nor is this.
  }
});

// Paper has no buttons: what is closed is opened for it, as far as it is readable there.
const PRINTED = 2000;
let forPrint = [];
window.addEventListener("beforeprint", () => {
  if (units.length <= 300 && page.hidden) {
    units.forEach((unit) => opened.add(unit));
    drawTree();
  }
  if (page.hidden && drawn) drawMore(PRINTED);
  // The words of a cause say what its request is; the page of an account shows it whole. What is
  // opened may hold more that is closed.
  for (let closed = true; closed;) {
    const some = [...document.querySelectorAll("details:not([open], #causes .request)")];
    some.forEach((details) => {
      details.open = true;
      details.fill?.();
    });
    forPrint.push(...some);
    closed = some.length > 0;
  }
});
window.addEventListener("afterprint", () => {
  forPrint.forEach((details) => {
    details.open = false;
  });
  forPrint = [];
});

document.documentElement.classList.add("js");
setUpFilters();
openAtFirst();
drawTree();
apply();
document.documentElement.dataset.ready = "1";
