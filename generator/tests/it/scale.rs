//! A platform of 500 services, through real Helm.

use tools::Tool;

use crate::harness::{OnDisk, helm};

#[test]
fn five_hundred_services_render() {
    let on_disk = OnDisk::of(&many_services::one_server(500));
    let manifest = on_disk.render(&helm(Tool::BatchHelm4), None, &[]).unwrap_or_else(|refusal| panic!("{refusal}"));
    let count = |kind: &str| manifest.lines().filter(|line| line.strip_prefix("kind: ") == Some(kind)).count();
    assert_eq!(count("Deployment"), 500);
    // One for each service, two for the broker, the default one, that for DNS, and that of the network policy test.
    assert_eq!(count("NetworkPolicy"), 500 + 5);
}
