//! A login of a service that declares its queues passively, which the platform under test need not have.

use anyhow::{Context as _, ensure};
use e2e_kit::random;
use e2e_kit::release::Release;
use generator::AmqpPermissions;
use vocabulary::{AmqpClient, QueueUse, Use};

use super::plan::{Plan, of_broker};
use super::trial::{Login, Target};
use super::{amqp, of_plan};

/// The first service that consumes from a queue, with its use of the broker.
pub(super) fn consumer(release: &Release) -> Option<(&'static str, AmqpClient)> {
    let services = &release.namespace.context.platform.platform().services;
    services.iter().find_map(|service| {
        let consumes = |client: &&AmqpClient| client.queues.iter().any(|one| matches!(one, QueueUse::Consumes { .. }));
        let mut clients =
            service.uses.iter().filter_map(|one| if let Use::RabbitMq(client) = one { Some(client) } else { None });
        Some((service.name.as_str(), *clients.find(consumes)?))
    })
}

/// Makes a login with the permissions that the chart would give to this consumer if it declared its queues passively, and tries everything with it.
pub(super) fn tried(
    release: &Release,
    plans: &[Plan],
    (service, client): (&'static str, AmqpClient),
) -> anyhow::Result<String> {
    let passive: Vec<_> = client.queues.iter().map(|one| one.declared_passively()).collect();
    let broker = client.client.backing;
    let (user, password) = (format!("passive.{service}"), format!("passive-{}", random::number()));
    let AmqpPermissions { configure, write, read } = AmqpPermissions::of(&passive);
    ensure!(configure == "^$", "the login may declare {configure}");
    for words in [&["add_user", &user, &password][..], &["set_permissions", &user, &configure, &write, &read]] {
        release.exec(broker.as_str(), &[&["rabbitmqctl", "--quiet"], words].concat())?;
    }
    let target = plans
        .iter()
        .filter(|plan| plan.service == service)
        .flat_map(|plan| &plan.targets)
        .find(|target| target.at == broker.as_str())
        .context("the service has no probe")?;
    let trials = amqp::trials(&Login::with(&user, &password), &passive, &of_broker(release, broker)?);
    let operations = trials.len();
    let target = Target { at: target.at, connection: target.connection.clone(), trials };
    let differences = of_plan(release, &Plan { service, targets: vec![target] })?;
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(format!("{operations} operations with the uses of {service}; write {write}, read {read}"))
}
