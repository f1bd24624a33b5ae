import { render } from "preact";

import { createSession } from "@taskriver/client";
import "../../common/base.css";
import "./style.css";
import { App } from "./ui/App";

render(<App session={createSession({ url: "/graphql" })} path={location.pathname} />, document.getElementById("root")!);
