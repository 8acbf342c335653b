// What is for who is signed in: the boards, and one's own sessions.
import { useCallback, useEffect, useState } from "react";
import { endSession, look, signOut } from "./api.js";
import { messageOf } from "./http.js";

export default function Home() {
  const [seen, setSeen] = useState(null);
  const [message, setMessage] = useState("");

  const show = useCallback(async () => {
    try {
      setSeen(await look());
      setMessage("");
    } catch (error) {
      setMessage(messageOf(error));
    }
  }, []);

  useEffect(() => {
    show();
  }, [show]);

  async function end(id) {
    await endSession(id).catch((error) => setMessage(messageOf(error)));
    await show();
  }

  return (
    <>
      <p role="status">{message}</p>
      <header>
        <h1>{seen ? `Hello, ${seen.account.username}` : "Hello"}</h1>
        <button className="quiet" onClick={signOut}>Sign out</button>
      </header>
      <header>
        <h2>Boards</h2>
        <button className="quiet" onClick={show}>Ask again</button>
      </header>
      <ul className="boards">
        {seen?.boards.map((board) => <Board key={board.path} {...board} roles={seen.account.roles} />)}
      </ul>
      <h2>Your sessions</h2>
      <ul className="sessions">
        {seen?.sessions.map((session) => <Session key={session.id} {...session} end={end} />)}
      </ul>
    </>
  );
}

// The tag is what the page makes of the roles; the text is what the server says.
function Board({ title, role, text, opened, roles }) {
  const tag = role ? (roles.includes(role) ? "your role" : "not your role") : "for everybody";
  return (
    <li className={opened ? "" : "refused"}>
      <h3>{title}</h3>
      <span className="tag">{tag}</span>
      <p>{text}</p>
    </li>
  );
}

function Session({ id, current, device, address, lastUsedAt, end }) {
  return (
    <li>
      <span className="device">{device}</span>
      <span className="used">{address}, last used {new Date(lastUsedAt).toLocaleString()}</span>
      {current ? <span className="tag">this one</span> : <button className="quiet" onClick={() => end(id)}>End</button>}
    </li>
  );
}
