// Acting as somebody else: what they may do, by which role, and what is missing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, applied, id, visits } from "./harness.mjs";

const open = visits();
const MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\n";

async function actAs(page, choose) {
  await id(page, "acting").click();
  await choose();
  await id(page, "act-as-go").click();
}

test("a user is refused, the missing role is written and applied, and then names itself", async () => {
  const page = await open();
  const asJane = () => actAs(page, async () => {
    await id(page, "act-as-user").check();
    await id(page, "act-as-name").fill("jane");
  });
  await asJane();
  assert.match(await id(page, "acting").innerText(), /jane/);
  await apply(page, MAP);
  await id(page, "diagnostics").getByText('User "jane" cannot get resource "configmaps"').waitFor();
  await id(page, "missing").getByText("jane needs: get configmaps in namespace default").waitFor();
  await id(page, "grant").click();
  assert.match(await id(page, "acting").innerText(), /kubernetes-admin/);
  await id(page, "apply").click();
  await id(page, "applied").getByText("rolebinding.rbac.authorization.k8s.io/apply-configmaps created").waitFor();
  await asJane();
  await applied(page, MAP);
  await id(page, "applied").getByText('RBAC: allowed by RoleBinding "apply-configmaps/default" of Role "apply-configmaps" to User "jane"').waitFor();
});

test("a service account is who its pods are", async () => {
  const page = await open();
  await actAs(page, async () => {
    await id(page, "act-as-account").check();
    await id(page, "act-as-account-name").fill("builder");
  });
  await apply(page, MAP);
  await id(page, "diagnostics").getByText('User "system:serviceaccount:default:builder" cannot get').waitFor();
  await actAs(page, () => id(page, "act-as-admin").check());
  await applied(page, MAP);
});
