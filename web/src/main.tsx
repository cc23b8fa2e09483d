import "@cloudscape-design/global-styles/index.css";
import "./app.css";
import { createRoot } from "react-dom/client";
import { App } from "./app/app";
import { startTheme } from "./app/theme";

startTheme();
createRoot(document.getElementById("app")!).render(<App />);
