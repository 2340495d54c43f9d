/** Starts the lab: styles, then the shell, which loads the route that the address names. */
import "./shell/tokens.css";
import "./shell/base.css";
import "./shell/app.ts";
