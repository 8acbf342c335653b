// Who is signed in decides what is shown; each tab learns of what another one does.
import { useSyncExternalStore } from "react";
import Door from "./Door.jsx";
import Home from "./Home.jsx";
import * as tokens from "./tokens.js";

export default function App() {
  const holder = useSyncExternalStore(tokens.subscribe, tokens.holder);
  return holder === null ? <Door /> : <Home key={holder} />;
}
