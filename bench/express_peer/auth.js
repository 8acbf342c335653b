// Sign-up, sign-in and refresh.
import bcrypt from "bcryptjs";
import jwt from "jsonwebtoken";
import { Op } from "sequelize";
import { v4 as uuid } from "uuid";

import { accessTokenLifetime, bcryptCost, refreshTokenLifetime, secret } from "./config.js";
import { RefreshToken, Role, User } from "./models.js";

export async function signUp(req, res) {
  const { username, email, password, roles } = req.body;
  const user = await User.create({ username, email, password: bcrypt.hashSync(password, bcryptCost) });
  await user.setRoles(roles ? await Role.findAll({ where: { name: { [Op.or]: roles } } }) : [1]);
  res.send({ message: "User registered successfully!" });
}

export async function signIn(req, res) {
  const user = await User.findOne({ where: { username: req.body.username } });
  if (!user) {
    return res.status(404).send({ message: "User Not found." });
  }
  if (!bcrypt.compareSync(req.body.password, user.password)) {
    return res.status(401).send({ accessToken: null, message: "Invalid Password!" });
  }
  const accessToken = signAccessToken(user);
  const refreshToken = await createRefreshToken(user);
  const roles = (await user.getRoles()).map((role) => `ROLE_${role.name.toUpperCase()}`);
  res.status(200).send({ id: user.id, username: user.username, email: user.email, roles, accessToken, refreshToken });
}

export async function refresh(req, res) {
  const { refreshToken: presented } = req.body;
  if (!presented) {
    return res.status(403).json({ message: "Refresh Token is required!" });
  }
  const refreshToken = await RefreshToken.findOne({ where: { token: presented } });
  if (!refreshToken) {
    return res.status(403).json({ message: "Refresh token is not in database!" });
  }
  if (refreshToken.expiryDate < new Date()) {
    await refreshToken.destroy();
    return res.status(403).json({ message: "Refresh token was expired. Please make a new signin request" });
  }
  const accessToken = signAccessToken(await refreshToken.getUser());
  res.status(200).json({ accessToken, refreshToken: refreshToken.token });
}

const signAccessToken = (user) =>
  jwt.sign({ id: user.id }, secret, { algorithm: "HS256", expiresIn: accessTokenLifetime });

async function createRefreshToken(user) {
  const expiryDate = new Date(Date.now() + refreshTokenLifetime * 1000);
  const refreshToken = await RefreshToken.create({ token: uuid(), userId: user.id, expiryDate });
  return refreshToken.token;
}
