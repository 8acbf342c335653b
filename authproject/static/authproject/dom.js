// Small helpers for what the page shows. All texts go in as text, never as HTML.
import { Refused } from "./api.js";

export const $ = (selector, within = document) => within.querySelector(selector);

// A copy of the template with that id, its [data-is] elements filled in.
export function made(id, texts) {
  const copy = $(`#${id}`).content.firstElementChild.cloneNode(true);
  fill(copy, texts);
  return copy;
}

// Puts each text into all elements that are to show it; false takes the element away, true leaves it as it is.
export function fill(within, texts) {
  for (const [name, text] of Object.entries(texts)) {
    for (const element of within.querySelectorAll(`[data-is="${name}"]`)) {
      if (text === false) element.remove();
      else if (text !== true) element.textContent = text;
    }
  }
}

// For who does not see what changed.
export const say = (text) => { $("#said").textContent = text; };

// Does it, unless it is being done; what the API refuses is shown in `place`, where nothing else is lost.
export async function attempt(place, action) {
  if (place.ariaBusy === "true") return;
  const refusal = $(".refusal", place);
  place.ariaBusy = "true";
  refusal.textContent = "";
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refusal.textContent = error.message;
  } finally {
    place.ariaBusy = "false";
  }
}

// `action(fields, button)` when the form is sent; refusals are shown in `place`.
export function onSubmit(form, action, place = form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(place, () => action(Object.fromEntries(new FormData(form)), event.submitter));
  });
}

export function onClick(button, place, action) {
  button.addEventListener("click", () => attempt(place, action));
}

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });

// "today, 14:05" or "31 Jan 2030, 18:00", where the browser is.
export function moment(iso) {
  const [day, today] = [new Date(iso), new Date()].map((date) => DAY.format(date));
  return `${day === today ? "today" : day}, ${TIME.format(new Date(iso))}`;
}
