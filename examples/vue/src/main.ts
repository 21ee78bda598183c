import { sessionPlugin } from "tokentide/vue";
import { createApp } from "vue";
import "../../shared/style.css";
import { session } from "../../shared/session";
import App from "./App.vue";
import { router } from "./router";

createApp(App).use(sessionPlugin, session).use(router).mount("#app");
