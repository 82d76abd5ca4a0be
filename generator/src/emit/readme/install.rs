//! The README's commands for an installation, and what the pods take.

use vocabulary::{Change, Quantity, Range};

use crate::emit::images;
use crate::graph::Graph;
use crate::password_files::PLAINTEXT;
use crate::workloads::parts::HELPER_AMOUNTS;

/// The options with which the example installs: values files, tags of images that no file names, and the addresses of the API server if a service
/// declares access to it. Each option ends with a space.
pub(super) struct Options {
    /// With the passwords in a file.
    pub(super) plain: String,
    /// Without passwords.
    pub(super) without_passwords: String,
    /// With the passwords that sops decrypts.
    pub(super) encrypted: String,
}

impl Options {
    pub(super) fn of(graph: &Graph) -> Self {
        let unnamed: Vec<_> = images::without_default(graph).map(|(image, _)| image.name()).collect();
        let names_all = |environment: &&vocabulary::Environment| {
            let named = environment.changes.iter().filter_map(|change| match change {
                Change::ImageTag { service, .. } => Some(service.as_str()),
                _ => None,
            });
            let named: Vec<_> = named.collect();
            unnamed.iter().all(|service| named.contains(&service.as_str()))
        };
        let environment = graph.environments.iter().find(|environment| !unnamed.is_empty() && names_all(environment));
        let files = environment.map(|environment| format!("--values environments/values-{}.yaml ", environment.name));
        let tag = |tags: String, image: &String| tags + &format!("--set-string {image}.image.tag=<tag> ");
        let tags = || unnamed.iter().fold(String::new(), tag);
        let has_api_clients = graph.services().any(|(_, service)| !service.api_rules.is_empty());
        let addresses = if has_api_clients {
            "--set \"global.network.apiServerCidrs={<address>/32}\" "
        } else {
            Default::default()
        };
        let without_passwords = files.unwrap_or_else(tags) + addresses;
        let with = |passwords: &str| {
            if graph.credentials().next().is_some() {
                format!("{without_passwords}--values {passwords} ")
            } else {
                without_passwords.clone()
            }
        };
        Self { plain: with(&format!("passwords{PLAINTEXT}")), encrypted: with("{}"), without_passwords }
    }
}

/// What the pods of the defaults request, and their limits, summed.
pub(super) struct Footprint {
    pub(super) requests: String,
    pub(super) limits: String,
}

impl Footprint {
    pub(super) fn of(graph: &Graph) -> Self {
        let servers = u128::try_from(graph.servers().count()).unwrap_or_default();
        let sum = |range: fn(&vocabulary::Resources) -> Range, helper: [&'static str; 2]| {
            let of_components = |amount: fn(Range) -> Option<Quantity>| -> u128 {
                let amounts = graph.components.iter().filter_map(|component| amount(range(&component.resources)));
                amounts.map(Quantity::thousandths).sum()
            };
            // Beside each server there is a container that keeps its administrator's password.
            let of_helpers = helper.map(|amount| servers * Quantity::new(amount).thousandths());
            [
                of_components(|range| Some(range.request)) + of_helpers[0],
                of_components(|range| range.limit) + of_helpers[1],
            ]
        };
        let [cpu_request, cpu_limit] = sum(|resources| resources.cpu, HELPER_AMOUNTS.cpu);
        let [memory_request, memory_limit] = sum(|resources| resources.memory, HELPER_AMOUNTS.memory);
        let text = |cpu: u128, memory: u128| format!("{cpu}m CPU and {} MiB of memory", memory / (1000 << 20));
        Self { requests: text(cpu_request, memory_request), limits: text(cpu_limit, memory_limit) }
    }
}
