// For admins: which roles there are.
import { $, attempt, made, onSubmit, say } from "./dom.js";
import { call } from "./session.js";

const card = $("#roles");
const form = $("form", card);
let found = [];

export const names = () => found.map(({ name }) => name);
export const load = () => attempt(form, reload);

export function start() {
  onSubmit(form, async ({ name, description }) => {
    const role = await call("POST", "/api/roles", { name, description });
    form.reset();
    say(`There is a role ${role.name} now.`);
    await reload();
  });
}

export async function reload() {
  found = (await call("GET", "/api/roles?pageSize=100")).results;
  $(".rows", card).replaceChildren(...found.map(({ name, description, holders }) =>
    made("role", { name, description, holders: `held by ${holders ?? "over 1,000"}` })));
}
