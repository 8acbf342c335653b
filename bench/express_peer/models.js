// The tables, as Sequelize makes them: no index on usernames, emails or refresh tokens, because the reference has none.
import { DataTypes, Sequelize } from "sequelize";

import { databaseUrl } from "./config.js";

export const sequelize = new Sequelize(databaseUrl, {
  logging: false,
  pool: { max: 5, min: 0, acquire: 30000, idle: 10000 },
});

export const User = sequelize.define("users", {
  username: { type: DataTypes.STRING },
  email: { type: DataTypes.STRING },
  password: { type: DataTypes.STRING },
});

export const Role = sequelize.define("roles", {
  id: { type: DataTypes.INTEGER, primaryKey: true },
  name: { type: DataTypes.STRING },
});

export const RefreshToken = sequelize.define("refreshTokens", {
  token: { type: DataTypes.STRING },
  expiryDate: { type: DataTypes.DATE },
});

User.belongsToMany(Role, { through: "user_roles" });
Role.belongsToMany(User, { through: "user_roles" });
RefreshToken.belongsTo(User, { foreignKey: "userId" });
User.hasOne(RefreshToken, { foreignKey: "userId" });

export const ROLES = ["user", "moderator", "admin"];

// Makes what is not there yet; existing rows stay.
export async function prepare() {
  await sequelize.sync();
  await Role.bulkCreate(ROLES.map((name, index) => ({ id: index + 1, name })), { ignoreDuplicates: true });
}
