//! A service's rights at RabbitMQ, derived from its declaration and RabbitMQ's rules.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vocabulary::{Declaration, QueueUse};

use super::trial::{Login, Trial, WRONG_PASSWORD};

/// The port of the management interface.
pub(super) const MANAGEMENT: u16 = 15672;
const PATHS: [&str; 6] =
    ["/api/whoami", "/api/overview", "/api/users", "/api/definitions", "/api/queues", "/api/permissions"];
/// The name of an undeclared queue and exchange.
const UNDECLARED: &str = "rights-undeclared";
/// The predeclared exchanges of every broker.
const STANDARD: [&str; 4] = ["amq.direct", "amq.topic", "amq.fanout", "amq.headers"];
/// The resource name for the right to publish to the default exchange.
const DEFAULT_EXCHANGE: &str = "amq.default";

/// Queues, exchanges and users of a broker, from its definitions and from the declaration.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) queues: BTreeSet<String>,
    pub(super) exchanges: BTreeSet<String>,
    pub(super) users: BTreeSet<String>,
}

impl Known {
    /// The queues, an undeclared queue, and names that an unanchored or unescaped pattern would also match.
    fn with_neighbours(&self) -> BTreeSet<String> {
        let neighbours = self.queues.iter().flat_map(|queue| {
            [queue.clone(), format!("{queue}-rights"), format!("rights-{queue}"), queue.replace('.', "-")]
        });
        neighbours.chain([UNDECLARED.to_owned()]).collect()
    }
}

/// RabbitMQ's three kinds of rights, derived from the declared uses and not from the rendered chart.
struct Rights<'a> {
    configure: BTreeSet<&'a str>,
    write: BTreeSet<&'a str>,
    read: BTreeSet<&'a str>,
}

impl<'a> Rights<'a> {
    fn of(uses: &'a [QueueUse]) -> Self {
        let (mut write, mut read) = (BTreeSet::new(), BTreeSet::new());
        for one in uses {
            let passive = one.declaration() == Declaration::Passive;
            if passive && matches!(one, QueueUse::Publishes { .. }) {
                write.insert(one.queue().name.as_str());
            }
            match one {
                QueueUse::Consumes { queue, .. } => read.insert(queue.name.as_str()),
                QueueUse::Publishes { exchange: None, .. } => write.insert(DEFAULT_EXCHANGE),
                QueueUse::Publishes { exchange: Some((exchange, _)), .. } => write.insert(exchange.name.as_str()),
            };
        }
        let active = uses.iter().filter(|one| one.declaration() == Declaration::Active);
        Self { configure: active.map(|one| one.queue().name.as_str()).collect(), write, read }
    }
}

/// The trials with the login of a service that uses queues in this way.
pub(super) fn trials(login: &Login, uses: &[QueueUse], known: &Known) -> Vec<Trial> {
    let rights = Rights::of(uses);
    let mut trials = vec![Trial::new(login, "log in", true, json!({"do": "connect"}))];
    let mut add = |what: String, may: bool, request: Value| trials.push(Trial::new(login, what, may, request));
    for queue in &known.with_neighbours() {
        let queue = queue.as_str();
        let (configure, read) = (rights.configure.contains(queue), rights.read.contains(queue));
        let mut at_queue = |verb: &str, action: &str, may: bool| {
            add(format!("{verb} queue {queue}"), may, json!({"do": action, "queue": queue}));
        };
        at_queue("declare", "declare", configure);
        // A passive declaration needs any right (rabbitmq-server#16272). Before 4.2.6 it needed none, so every login could list queues.
        at_queue("look for", "look", configure || read || rights.write.contains(queue));
        at_queue("get from", "get", read);
        at_queue("consume", "consume", read);
        // Destructive operations are tried only if they must be refused.
        if !read {
            at_queue("purge", "purge", false);
        }
        if !configure {
            at_queue("delete", "delete", false);
        }
        if known.queues.contains(queue) || queue == UNDECLARED {
            // The default exchange routes to every queue: RabbitMQ cannot restrict a publisher to some queues.
            let (may, publish) =
                (rights.write.contains(DEFAULT_EXCHANGE), json!({"do": "publish", "exchange": "", "key": queue}));
            add(format!("publish to queue {queue} through the default exchange"), may, publish);
        }
        let may = rights.write.contains(queue) && rights.read.contains("amq.topic");
        add(
            format!("bind queue {queue} to amq.topic"),
            may,
            json!({"do": "bind", "queue": queue, "exchange": "amq.topic"}),
        );
    }
    let declared = known.exchanges.iter().map(String::as_str);
    for exchange in declared.filter(|name| !STANDARD.contains(name)).chain(STANDARD) {
        let publish = json!({"do": "publish", "exchange": exchange, "key": UNDECLARED});
        add(format!("publish to exchange {exchange}"), rights.write.contains(exchange), publish);
        if !rights.configure.contains(exchange) {
            let delete = json!({"do": "delete-exchange", "exchange": exchange});
            add(format!("delete exchange {exchange}"), false, delete);
        }
    }
    let declare = json!({"do": "declare-exchange", "exchange": UNDECLARED});
    add("declare an exchange of its own".to_owned(), rights.configure.contains(UNDECLARED), declare);
    for path in PATHS {
        add(format!("read {path}"), false, management(path));
    }
    trials
}

/// The trials without a service's login, made once per broker.
pub(super) fn intrusions(known: &Known) -> Vec<Trial> {
    let users = known.users.iter().flat_map(|user| [Login::with(user, ""), Login::with(user, WRONG_PASSWORD)]);
    let foreign = [Login::anonymous(), Login::with("guest", "guest"), Login::with("", "")];
    let mut trials = Vec::new();
    for login in foreign.into_iter().chain(users) {
        trials.push(Trial::new(&login, "log in", false, json!({"do": "connect"})));
        trials.push(Trial::new(&login, "read /api/overview", false, management("/api/overview")));
    }
    trials
}

fn management(path: &str) -> Value {
    json!({"do": "http", "port": MANAGEMENT, "path": path})
}

#[cfg(test)]
mod tests {
    use vocabulary::{QueueUse, RabbitMq, Use, consumes, plain, publishes, publishes_through, variable};

    use super::*;

    const BROKER: RabbitMq = RabbitMq::named("broker");
    const ENV: vocabulary::AmqpEnv = vocabulary::AmqpEnv {
        host: variable("HOST"),
        port: variable("PORT"),
        user: variable("USER"),
        password: plain("PASSWORD"),
    };

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn allowed(uses: &'static [QueueUse]) -> Vec<String> {
        let Use::RabbitMq(client) = BROKER.client(ENV, uses) else { return Vec::new() };
        let known = Known { queues: names(&["a", "b"]), exchanges: names(&["own"]), users: BTreeSet::new() };
        let trials = trials(&Login::own("s"), client.queues, &known).into_iter();
        trials.filter(|trial| trial.may).map(|trial| trial.what).collect()
    }

    #[test]
    fn queues_have_neighbours() {
        let known = Known { queues: names(&["a.b"]), ..Known::default() };
        assert_eq!(known.with_neighbours(), names(&["a.b", "a.b-rights", "rights-a.b", "a-b", UNDECLARED]));
    }

    #[test]
    fn a_consumer_reads_its_queue() {
        const USES: &[QueueUse] = &[consumes(BROKER.queue("a"), variable("A"))];
        let expected = ["log in", "declare queue a", "look for queue a", "get from queue a", "consume queue a"];
        assert_eq!(allowed(USES), expected);
    }

    #[test]
    fn a_publisher_through_the_default_exchange_writes_to_all_queues() {
        const USES: &[QueueUse] = &[publishes(BROKER.queue("b"), variable("B"))];
        let (publishing, others): (Vec<_>, Vec<_>) =
            allowed(USES).into_iter().partition(|what| what.ends_with("through the default exchange"));
        assert_eq!(others, ["log in", "declare queue b", "look for queue b"]);
        assert_eq!(publishing.len(), ["a", "b", UNDECLARED].len());
    }

    #[test]
    fn a_publisher_through_its_own_exchange_writes_to_that() {
        const USES: &[QueueUse] =
            &[publishes_through(BROKER.exchange("own"), variable("E"), BROKER.queue("b"), variable("B"))];
        let expected = ["log in", "declare queue b", "look for queue b", "publish to exchange own"];
        assert_eq!(allowed(USES), expected);
    }

    #[test]
    fn a_passive_consumer_declares_nothing() {
        const USES: &[QueueUse] = &[consumes(BROKER.queue("a"), variable("A")).declared_passively()];
        assert_eq!(allowed(USES), ["log in", "look for queue a", "get from queue a", "consume queue a"]);
    }

    #[test]
    fn what_is_allowed_and_destroys_is_not_tried() {
        const USES: &[QueueUse] = &[consumes(BROKER.queue("a"), variable("A"))];
        let Use::RabbitMq(client) = BROKER.client(ENV, USES) else { return };
        let known = Known { queues: names(&["a", "b"]), ..Known::default() };
        let all: Vec<_> = trials(&Login::own("s"), client.queues, &known).into_iter().map(|trial| trial.what).collect();
        for (what, tried) in
            [("purge queue a", false), ("delete queue a", false), ("purge queue b", true), ("delete queue b", true)]
        {
            assert_eq!(all.iter().any(|one| one == what), tried, "{what}");
        }
    }

    #[test]
    fn every_user_is_tried_without_its_password() {
        let known = Known { users: names(&["one"]), ..Known::default() };
        let intrusions = intrusions(&known);
        assert_eq!(intrusions.len(), 2 * (3 + 2));
        assert!(intrusions.iter().all(|trial| !trial.may));
    }
}
