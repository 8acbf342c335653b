// What stands before the handlers: duplicate names, unknown roles, the access token, and the roles it takes.
import jwt from "jsonwebtoken";

import { secret } from "./config.js";
import { ROLES, User } from "./models.js";

// Hands a failed promise to Express, which by itself would leave the client without an answer.
export const caught = (handler) => (req, res, next) => handler(req, res, next).catch(next);

export const checkDuplicateUsernameOrEmail = caught(async (req, res, next) => {
  if (await User.findOne({ where: { username: req.body.username } })) {
    return res.status(400).send({ message: "Failed! Username is already in use!" });
  }
  if (await User.findOne({ where: { email: req.body.email } })) {
    return res.status(400).send({ message: "Failed! Email is already in use!" });
  }
  next();
});

export function checkRolesExisted(req, res, next) {
  for (const role of req.body.roles ?? []) {
    if (!ROLES.includes(role)) {
      return res.status(400).send({ message: `Failed! Role does not exist = ${role}` });
    }
  }
  next();
}

export function verifyToken(req, res, next) {
  const token = req.headers["x-access-token"];
  if (!token) {
    return res.status(403).send({ message: "No token provided!" });
  }
  jwt.verify(token, secret, (error, claims) => {
    if (error instanceof jwt.TokenExpiredError) {
      return res.status(401).send({ message: "Unauthorized! Access Token was expired!" });
    }
    if (error) {
      return res.status(401).send({ message: "Unauthorized!" });
    }
    req.userId = claims.id;
    next();
  });
}

// The roles are looked up at each request: the user by its key, then its roles.
const hasRole = (name, message) =>
  caught(async (req, res, next) => {
    const user = await User.findByPk(req.userId);
    const roles = await user.getRoles();
    if (roles.some((role) => role.name === name)) {
      return next();
    }
    res.status(403).send({ message });
  });

export const isModerator = hasRole("moderator", "Require Moderator Role!");
export const isAdmin = hasRole("admin", "Require Admin Role!");
