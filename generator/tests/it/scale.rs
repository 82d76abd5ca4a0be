//! A platform of 500 services, through real Helm.

use tools::Tool;

use crate::harness::{OnDisk, helm};

#[test]
fn five_hundred_services_render() {
    let on_disk = OnDisk::of(&many_services::one_server(500));
    let manifest = on_disk.render(&helm(Tool::Helm4), None, &[]).unwrap_or_else(|refusal| panic!("{refusal}"));
    let objects = tools::objects(&manifest).expect("Helm renders YAML");
    let deployments = objects.iter().filter(|object| object.kind == "Deployment").count();
    assert_eq!(deployments, 500);
    // Each with a policy, the broker with two, one for all, and one for the test that is nobody.
    assert_eq!(objects.iter().filter(|object| object.kind == "NetworkPolicy").count(), 500 + 4);
}
