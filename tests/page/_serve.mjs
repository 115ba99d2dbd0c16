import { host } from "/work/wt/pageparts/tests/page/harness.mjs";
const s = await host(process.argv[2], "/", Number(process.argv[3])); console.log(s.url);
