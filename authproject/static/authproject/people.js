// For admins: people, and the roles they hold.
import { $, attempt, fill, made, moment, onClick, onSubmit, say } from "./dom.js";
import { names } from "./roles.js";
import { call } from "./session.js";

const card = $("#people");
const search = $("form", card);
const more = $("#more");
let next = null;
let changed; // told the id of whoever was changed

export function start(onChange) {
  changed = onChange;
  onSubmit(search, async () => {
    await find();
    say(`${people($(".rows", card).children.length)} found.`);
  });
  onClick(more, search, async () => {
    const rows = await page(next);
    $(".rows", card).append(...rows);
    rows[0]?.focus();
    say(`${people(rows.length)} more.`);
  });
}

const people = (number) => (number === 1 ? "1 person" : `${number} people`);

export const load = () => attempt(search, find);

async function find() {
  const query = new URLSearchParams({ search: search.elements.search.value.trim() });
  $(".rows", card).replaceChildren(...await page(`/api/users?${query}`));
}

async function page(path) {
  const found = await call("GET", path);
  // Where it leads, and not to which host: a proxy may have another name.
  next = found.next && new URL(found.next).pathname + new URL(found.next).search;
  more.hidden = !next;
  return found.results.map(row);
}

function row(person) {
  const { username, email } = person;
  const shown = made("person", { username, email, inactive: !person.active });
  shown.tabIndex = -1;
  fill(shown, { toggle: person.active ? "Deactivate" : "Activate" });
  showGrants(shown, person, person.roles.map((role) => ({ role })));
  onClick($(".top button", shown), shown, () => toggle(shown, person));
  prepareToGrant(shown, person);
  return shown;
}

async function toggle(shown, person) {
  const now = await call("PATCH", `/api/users/${person.id}`, { active: !person.active });
  const fresh = row(now);
  shown.replaceWith(fresh);
  $(".top button", fresh).focus();
  say(`${now.username} is ${now.active ? "active" : "inactive"}.`);
  changed(person.id);
}

function showGrants(shown, person, grants) {
  $(".chips", shown).replaceChildren(...grants.map(({ role, expiresAt }) => {
    const until = expiresAt ? `until ${moment(expiresAt)}` : "";
    const chip = made("grant", { role, until, username: person.username });
    onClick($("button", chip), shown, () => revoke(shown, person, role));
    return chip;
  }));
}

// With their ends, which the list of people does not tell; those that have run out count for nothing.
async function reloadGrants(shown, person) {
  const { results } = await call("GET", `/api/users/${person.id}/roles?pageSize=100`);
  showGrants(shown, person, results.filter(({ live }) => live));
}

async function revoke(shown, person, role) {
  await call("DELETE", `/api/users/${person.id}/roles/${encodeURIComponent(role)}`);
  say(`${person.username} no longer holds ${role}.`);
  await changed(person.id);
  // Whoever took the role admin from themselves may not ask for grants any more.
  if (card.closest("[hidden]")) return;
  await reloadGrants(shown, person);
  $("summary", shown).focus();
}

function prepareToGrant(shown, person) {
  const form = $("form", shown);
  $("details", shown).addEventListener("toggle", ({ target }) => {
    if (!target.open) return;
    const select = form.elements.role;
    const chosen = select.value;
    select.replaceChildren(...names().map((name) => new Option(name, name, false, name === chosen)));
    attempt(shown, () => reloadGrants(shown, person));
  });
  onSubmit(form, async ({ role, until }) => {
    const expiresAt = until ? new Date(until).toISOString() : null;
    await call("POST", `/api/users/${person.id}/roles`, { role, expiresAt });
    await reloadGrants(shown, person);
    say(`${person.username} holds ${role}${expiresAt ? ` until ${moment(expiresAt)}` : ""}.`);
    changed(person.id);
  }, shown);
}
