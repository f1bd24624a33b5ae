import { ApolloProvider } from "@apollo/client/react";

import { start } from "../../common/start";
import { client } from "./api";
import { Tasks } from "./Tasks";

start("Tasks with Apollo", () => <ApolloProvider client={client}><Tasks /></ApolloProvider>);
