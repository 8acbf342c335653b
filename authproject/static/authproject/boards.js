// The four boards, and what each answers at this moment.
import { Refused } from "./api.js";
import { $, fill, made, say } from "./dom.js";
import { ask } from "./session.js";

const BOARDS = [["Everyone", "all"], ["Users", "user"], ["Moderators", "mod"], ["Admins", "admin"]];
const cards = [];

export function start(askAll) {
  $("#boards .top button").addEventListener("click", askAll);
  for (const [title, name] of BOARDS) {
    const path = `/api/test/${name}`;
    const card = made("board", { title, path });
    const look = () => lookAt(card, path);
    $("button", card).addEventListener("click", async () => say(`${title}: ${await look()}`));
    cards.push(look);
    $(".boards").append(card);
  }
}

// Gives how many are open.
export async function all() {
  const said = await Promise.all(cards.map((look) => look()));
  return said.filter((answer) => answer.startsWith("open")).length;
}

async function lookAt(card, path) {
  const answer = await ask("GET", path).catch((refused) => ({ status: refused.status, data: refused }));
  const [word, text] = answer.ok ? ["open", answer.text] : ["refused", new Refused(answer).message];
  fill(card, { status: `${answer.status || "–"} ${word}`, text });
  card.dataset.answer = word;
  return `${word}, ${text}`;
}
