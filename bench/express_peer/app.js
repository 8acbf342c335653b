// The Express application: its routes and what stands before each.
import cors from "cors";
import express from "express";

import { refresh, signIn, signUp } from "./auth.js";
import {
  caught, checkDuplicateUsernameOrEmail, checkRolesExisted, isAdmin, isModerator, verifyToken,
} from "./middleware.js";

export const app = express();

app.use(cors({ origin: "http://localhost:8081" }));
app.use(express.json());
app.use(express.urlencoded({ extended: true }));
app.use((req, res, next) => {
  res.header("Access-Control-Allow-Headers", "x-access-token, Origin, Content-Type, Accept");
  next();
});

app.get("/", (req, res) => res.json({ message: "Welcome to the benchmark's peer." }));

app.post("/api/auth/signup", checkDuplicateUsernameOrEmail, checkRolesExisted, caught(signUp));
app.post("/api/auth/signin", caught(signIn));
app.post("/api/auth/refreshtoken", caught(refresh));

const content = (text) => (req, res) => res.status(200).send(text);

app.get("/api/test/all", content("Public Content."));
app.get("/api/test/user", verifyToken, content("User Content."));
app.get("/api/test/mod", verifyToken, isModerator, content("Moderator Content."));
app.get("/api/test/admin", verifyToken, isAdmin, content("Admin Content."));
