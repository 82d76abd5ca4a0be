//! What a service may do at RabbitMQ, as its declaration and RabbitMQ's own rules have it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vocabulary::{AmqpClient, QueueUse};

use super::trial::{Login, Trial, WRONG};

/// The port of the management interface.
pub(super) const MANAGEMENT: u16 = 15672;
const PATHS: [&str; 6] =
    ["/api/whoami", "/api/overview", "/api/users", "/api/definitions", "/api/queues", "/api/permissions"];
/// A queue and an exchange that nobody declares.
const STRANGE: &str = "rights-strange";
/// The exchanges that every broker has.
const STANDARD: [&str; 4] = ["amq.direct", "amq.topic", "amq.fanout", "amq.headers"];
/// Under this name the right to publish to the default exchange is checked.
const DEFAULT_EXCHANGE: &str = "amq.default";

/// What is on a broker, by the broker's own word and by declaration.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) queues: BTreeSet<String>,
    pub(super) exchanges: BTreeSet<String>,
    pub(super) users: BTreeSet<String>,
}

impl Known {
    /// The queues, one that is strange, and those that a pattern would match, too, which is not anchored or whose dots stand for anything.
    fn with_neighbours(&self) -> BTreeSet<String> {
        let neighbours = self.queues.iter().flat_map(|queue| {
            [queue.clone(), format!("{queue}-rights"), format!("rights-{queue}"), queue.replace('.', "-")]
        });
        neighbours.chain([STRANGE.to_owned()]).collect()
    }
}

/// What a declaration allows, in the three rights that RabbitMQ knows. It follows from the uses alone, and not from what is rendered.
struct Rights<'a> {
    configure: BTreeSet<&'a str>,
    write: BTreeSet<&'a str>,
    read: BTreeSet<&'a str>,
}

impl<'a> Rights<'a> {
    fn of(uses: &'a [QueueUse]) -> Self {
        let (mut write, mut read) = (BTreeSet::new(), BTreeSet::new());
        for one in uses {
            match one {
                QueueUse::Consumes { queue, .. } => read.insert(queue.name.as_str()),
                QueueUse::Publishes { exchange: None, .. } => write.insert(DEFAULT_EXCHANGE),
                QueueUse::Publishes { exchange: Some((exchange, _)), .. } => write.insert(exchange.name.as_str()),
            };
        }
        Self { configure: uses.iter().map(|one| one.queue().name.as_str()).collect(), write, read }
    }
}

/// Everything that is tried with the login of a service.
pub(super) fn trials(service: &str, client: &AmqpClient, known: &Known) -> Vec<Trial> {
    let own = Login::own(service);
    let rights = Rights::of(client.queues);
    let mut trials = vec![Trial::new(&own, "log in", true, json!({"do": "connect"}))];
    let mut add = |what: String, may: bool, request: Value| trials.push(Trial::new(&own, what, may, request));
    for queue in &known.with_neighbours() {
        let queue = queue.as_str();
        let (configure, read) = (rights.configure.contains(queue), rights.read.contains(queue));
        let mut at_queue = |verb: &str, action: &str, may: bool| {
            add(format!("{verb} queue {queue}"), may, json!({"do": action, "queue": queue}));
        };
        at_queue("declare", "declare", configure);
        // A passive declaration: any right is enough (rabbitmq-server#16272). Before 4.2.6 none was asked for, and everybody could see which
        // queues there are.
        at_queue("look for", "look", configure || read || rights.write.contains(queue));
        at_queue("get from", "get", read);
        at_queue("consume", "consume", read);
        // What is allowed and destroys something is not tried.
        if !read {
            at_queue("purge", "purge", false);
        }
        if !configure {
            at_queue("delete", "delete", false);
        }
        if known.queues.contains(queue) || queue == STRANGE {
            // The default exchange leads to every queue, whichever is named: RabbitMQ cannot hold a publisher to some.
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
        let publish = json!({"do": "publish", "exchange": exchange, "key": STRANGE});
        add(format!("publish to exchange {exchange}"), rights.write.contains(exchange), publish);
        if !rights.configure.contains(exchange) {
            let delete = json!({"do": "delete-exchange", "exchange": exchange});
            add(format!("delete exchange {exchange}"), false, delete);
        }
    }
    let declare = json!({"do": "declare-exchange", "exchange": STRANGE});
    add("declare an exchange of its own".to_owned(), rights.configure.contains(STRANGE), declare);
    for path in PATHS {
        add(format!("read {path}"), false, management(path));
    }
    trials
}

/// What is tried without a service's login: the same from wherever it is tried, so once for each broker.
pub(super) fn intrusions(known: &Known) -> Vec<Trial> {
    let users = known.users.iter().flat_map(|user| [Login::with(user, ""), Login::with(user, WRONG)]);
    let strangers = [Login::nobody(), Login::with("guest", "guest"), Login::with("", "")];
    let mut trials = Vec::new();
    for login in strangers.into_iter().chain(users) {
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
        let trials = trials("s", &client, &known).into_iter();
        trials.filter(|trial| trial.may).map(|trial| trial.what).collect()
    }

    #[test]
    fn queues_have_neighbours() {
        let known = Known { queues: names(&["a.b"]), ..Known::default() };
        assert_eq!(known.with_neighbours(), names(&["a.b", "a.b-rights", "rights-a.b", "a-b", STRANGE]));
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
        assert_eq!(publishing.len(), ["a", "b", STRANGE].len());
    }

    #[test]
    fn a_publisher_through_its_own_exchange_writes_to_that() {
        const USES: &[QueueUse] =
            &[publishes_through(BROKER.exchange("own"), variable("E"), BROKER.queue("b"), variable("B"))];
        let expected = ["log in", "declare queue b", "look for queue b", "publish to exchange own"];
        assert_eq!(allowed(USES), expected);
    }

    #[test]
    fn what_is_allowed_and_destroys_is_not_tried() {
        const USES: &[QueueUse] = &[consumes(BROKER.queue("a"), variable("A"))];
        let Use::RabbitMq(client) = BROKER.client(ENV, USES) else { return };
        let known = Known { queues: names(&["a", "b"]), ..Known::default() };
        let all: Vec<_> = trials("s", &client, &known).into_iter().map(|trial| trial.what).collect();
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
