import { sessionPlugin } from "tokentide/vue";
import { createApp } from "vue";
import "../../shared/style.css";
import App from "./App.vue";
import { router } from "./router";
import { session } from "./session";

createApp(App).use(sessionPlugin, session).use(router).mount("#app");
