//! Roles of services and servers in the scenarios, derived from the declaration.

use anyhow::{Context as _, anyhow};
use e2e_kit::context::E2eContext;
use e2e_kit::fixture::Fixture;
use e2e_kit::lane::Lane;
use e2e_kit::report::Reported;
use generator::Resolved;
use vocabulary::{
    AmqpClient, CacheLogin, EndToEndTest, Platform, QueueUse, Reconnects, Service, SqlClient, Use, ValkeyClient,
};

/// The roles in the declared end-to-end test.
///
/// The test posts to the sender, which publishes to a queue. The worker consumes it, the keeper stores the result, the page shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles {
    /// The service that receives the test's request; it publishes to `sent_queue`.
    pub(crate) sender: &'static str,
    /// The service that consumes `sent_queue` and uses the cache.
    pub(crate) worker: &'static str,
    /// The service that owns the database with the test's rows; it consumes `stored_queue`.
    pub(crate) keeper: &'static str,
    /// The service whose page shows the result.
    pub(crate) page: &'static str,
    pub(crate) broker: &'static str,
    pub(crate) database_server: &'static str,
    pub(crate) cache: &'static str,
    pub(crate) sent_queue: &'static str,
    pub(crate) stored_queue: &'static str,
    /// The database with the test's rows.
    pub(crate) database: &'static str,
    /// Whether the worker connects to the cache without a login.
    pub(crate) cache_is_anonymous: bool,
    pub(crate) test: EndToEndTest,
    pub(crate) fixture: Fixture,
}

impl Roles {
    /// The roles of the context's platform.
    ///
    /// # Errors
    /// If the platform lacks a role; the text is the reason why a scenario that needs the roles is not applicable.
    pub(crate) fn of(context: &E2eContext) -> anyhow::Result<Self> {
        Self::derive(&context.platform, context.fixture)
    }

    /// As [`Roles::of`]; reports the lane as not applicable if the platform lacks a role.
    pub(crate) fn of_lane(lane: &Lane) -> Result<Self, Reported> {
        Self::of(lane.context).map_err(|reason| {
            lane.not_applicable("this lane", &format!("{reason:#}"));
            Reported
        })
    }

    /// The roles of a platform.
    ///
    /// # Errors
    /// See [`Roles::of`].
    pub(crate) fn derive(platform: &Resolved, fixture: Option<Fixture>) -> anyhow::Result<Self> {
        let fixture = fixture.context("the binary passes no fixture for the platform's programs (`e2e::Fixture`)")?;
        let declared = platform.platform();
        let test =
            declared.tests.end_to_end.context("the platform declares no end-to-end test (`Tests::end_to_end`)")?;
        let leftovers = test
            .leftovers
            .context("the platform's end-to-end test leaves nothing in a database (`EndToEndTest::leaves`)")?;
        let database = leftovers.database;
        let sender = platform.service(test.request.endpoint.service);
        let (sending, sent) = amqp(sender)
            .find_map(|client| Some((client, published(client)?)))
            .ok_or_else(|| anyhow!("{}, where the end-to-end test begins, publishes to no queue", sender.name))?;
        let broker = sending.client.backing;
        let between = || test.through.iter().map(|name| platform.service(*name));
        let worker = between()
            .find(|service| amqp(service).any(|client| consumed(client).any(|queue| queue == sent)))
            .ok_or_else(|| anyhow!("no service that the end-to-end test goes through consumes `{sent}`"))?;
        let caching =
            valkey(worker).next().ok_or_else(|| anyhow!("{}, which consumes `{sent}`, uses no cache", worker.name))?;
        let keeper = declared
            .services
            .iter()
            .find(|service| sql(service).any(|client| client.database.database.name == database.name))
            .ok_or_else(|| anyhow!("no service owns the database {}", database.name))?;
        let stored = amqp(keeper)
            .filter(|client| client.client.backing == broker)
            .find_map(|client| consumed(client).next())
            .ok_or_else(|| anyhow!("{}, which owns {}, consumes no queue at {broker}", keeper.name, database.name))?;
        Ok(Self {
            sender: sender.name.as_str(),
            worker: worker.name.as_str(),
            keeper: keeper.name.as_str(),
            page: test.page.endpoint.service.as_str(),
            broker: broker.as_str(),
            database_server: database.server.as_str(),
            cache: caching.client.backing.as_str(),
            sent_queue: sent,
            stored_queue: stored,
            database: database.name.as_str(),
            cache_is_anonymous: matches!(caching.env.login, CacheLogin::Anonymous),
            test,
            fixture,
        })
    }
}

/// The names of all services, in declaration order.
pub(crate) fn services(platform: &Platform) -> Vec<&'static str> {
    platform.services.iter().map(|service| service.name.as_str()).collect()
}

/// The names of all servers, in declaration order.
pub(crate) fn servers(platform: &Platform) -> Vec<&'static str> {
    platform.backing.iter().map(|server| server.name().as_str()).collect()
}

/// The services that do not reopen a lost connection to this server and therefore restart.
pub(crate) fn never_reconnect(platform: &Platform, server: &str) -> Vec<&'static str> {
    let never = |one: &Use| {
        let client = one.client();
        client.is_some_and(|c| c.backing.as_str() == server && matches!(c.reconnects, Reconnects::Never(_)))
    };
    let all = platform.services.iter().filter(|service| service.uses.iter().any(never));
    all.map(|service| service.name.as_str()).collect()
}

/// The environment variables with user name and password of a service's login at a broker.
pub(crate) fn amqp_login(
    platform: &Platform,
    service: &str,
    broker: &str,
) -> anyhow::Result<(&'static str, &'static str)> {
    let service = platform
        .services
        .iter()
        .find(|one| one.name.as_str() == service)
        .context("the platform has no such service")?;
    let client = amqp(service).find(|client| client.client.backing.as_str() == broker);
    let env = client.with_context(|| format!("{} has no login at {broker}", service.name))?.env;
    Ok((env.user.as_str(), env.password.name.as_str()))
}

/// The number of services with a login at this server.
pub(crate) fn logins_at(platform: &Platform, server: &str) -> usize {
    let at = |one: &Use| one.login().is_some() && one.client().is_some_and(|c| c.backing.as_str() == server);
    platform.services.iter().filter(|service| service.uses.iter().any(at)).count()
}

/// The services that call this service and therefore cannot be installed without it.
pub(crate) fn callers(platform: &Platform, service: &str) -> Vec<&'static str> {
    let calls = |one: &Use| matches!(one, Use::Call(call) if call.endpoint.service.as_str() == service);
    let all = platform.services.iter().filter(|caller| caller.uses.iter().any(calls));
    all.map(|caller| caller.name.as_str()).collect()
}

fn amqp(service: &Service) -> impl Iterator<Item = &AmqpClient> {
    service.uses.iter().filter_map(|one| if let Use::RabbitMq(client) = one { Some(client) } else { None })
}

fn sql(service: &Service) -> impl Iterator<Item = &SqlClient> {
    service.uses.iter().filter_map(|one| if let Use::PostgreSql(client) = one { Some(client) } else { None })
}

fn valkey(service: &Service) -> impl Iterator<Item = &ValkeyClient> {
    service.uses.iter().filter_map(|one| if let Use::Valkey(client) = one { Some(client) } else { None })
}

fn published(client: &AmqpClient) -> Option<&'static str> {
    client.queues.iter().find_map(|queue| match queue {
        QueueUse::Publishes { queue, .. } => Some(queue.name.as_str()),
        QueueUse::Consumes { .. } => None,
    })
}

fn consumed(client: &AmqpClient) -> impl Iterator<Item = &'static str> {
    client.queues.iter().filter_map(|queue| match queue {
        QueueUse::Consumes { queue, .. } => Some(queue.name.as_str()),
        QueueUse::Publishes { .. } => None,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use vocabulary::{
        AmqpEnv, Backing, CacheEnv, CallEnv, ChartVersion, Endpoint, Health, Image, PlatformName, Port, PostgreSql,
        Probe, Queue, RabbitMq, Resources, ServiceName, SourceLocation, SqlEnv, Tests, Valkey, consumes, cpu, keys,
        memory, owns, plain, publishes, variable,
    };

    use super::*;

    const MQ: RabbitMq = RabbitMq::named("mq");
    const DB: PostgreSql = PostgreSql::named("db");
    const KV: Valkey = Valkey::named("kv");
    const IN: Queue = MQ.queue("in");
    const OUT: Queue = MQ.queue("out");
    const HTTP: Port = Port::http("http", 8080);
    const AMQP: AmqpEnv = AmqpEnv {
        host: variable("MQ_HOST"),
        port: variable("MQ_PORT"),
        user: variable("MQ_USER"),
        password: plain("MQ_PASS"),
    };
    const SQL: SqlEnv = SqlEnv {
        host: variable("DB_HOST"),
        port: variable("DB_PORT"),
        user: variable("DB_USER"),
        password: plain("DB_PASS"),
    };
    const CACHE: CacheEnv =
        CacheEnv { host: variable("KV_HOST"), port: variable("KV_PORT"), login: CacheLogin::Anonymous };
    const FRONT: Use = MQ.client(AMQP, &[publishes(IN, variable("OUT"))]);
    const WORK: Use = MQ.client(AMQP, &[consumes(IN, variable("IN")), publishes(OUT, variable("OUT"))]);
    const WORK_CACHE: Use = KV.client(CACHE, keys("k:*", &["get"]));
    const STORE_QUEUE: Use = MQ.client(AMQP, &[consumes(OUT, variable("IN"))]).never_reconnects("tried");
    const STORE_DATABASE: Use = DB.client(SQL, owns(DB.database("data"), variable("DB_NAME")));
    const STORE: Endpoint = endpoint("store");
    const CALL: CallEnv = CallEnv { host: variable("STORE_HOST"), port: variable("STORE_PORT") };

    const fn endpoint(service: &'static str) -> Endpoint {
        Endpoint::new(ServiceName::new(service), HTTP)
    }

    fn service(name: &'static str, uses: &'static [Use]) -> Service {
        let resources = Resources::new(cpu("10m"), memory("32Mi").up_to("64Mi"));
        let health = Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP));
        let image = Image::new("example/program", "1.0.0");
        Service { ports: &[HTTP], uses, ..Service::new(ServiceName::new(name), "A service.", image, health, resources) }
    }

    const TEST: EndToEndTest = EndToEndTest::new(
        "What is sent is shown.",
        endpoint("front").posts("/in", r#"{"text": "{marker}"}"#),
        &[ServiceName::new("work"), ServiceName::new("store")],
        endpoint("view").page("/"),
    )
    .leaves(DB.database("data"), "DELETE FROM rows WHERE text = '{marker}'");

    pub(crate) const FIXTURE: Fixture = Fixture {
        body: r#"{"text": "{marker}"}"#,
        times: 1,
        load_image: "load",
        stored: "SELECT 1, 1",
        left_by_tests: "SELECT 1, 1",
        setting: "front.settings.x=1",
    };

    /// A platform that has all roles.
    pub(crate) fn declared() -> Platform {
        Platform {
            name: PlatformName::new("roles"),
            doc: "A platform with every role",
            version: ChartVersion::new("1.0.0"),
            home: "https://example.org",
            publication: vocabulary::Publication::new(),
            longest_release_name: 20,
            published_passwords: &[],
            earlier_versions: &[],
            services: vec![
                service("front", const { &[FRONT] }),
                service("work", const { &[WORK, WORK_CACHE] }),
                Service {
                    health: Health::by_connections(vocabulary::Python3),
                    ..service("store", const { &[STORE_QUEUE, STORE_DATABASE] })
                },
                service("view", const { &[STORE.called(CALL)] }),
            ],
            backing: vec![Backing::RabbitMq(MQ), Backing::PostgreSql(DB), Backing::Valkey(KV)],
            environments: Vec::new(),
            tests: Tests::DEFAULT.end_to_end(TEST),
            location: SourceLocation::here(),
        }
    }

    fn derived(platform: Platform) -> Result<Roles, String> {
        let resolved = platform.resolve().map_err(|diagnostics| diagnostics.to_string()).expect("it is valid");
        Roles::derive(&resolved, Some(FIXTURE)).map_err(|error| error.to_string())
    }

    #[test]
    fn roles_follow_from_the_end_to_end_test_and_the_uses() {
        let roles = derived(declared()).expect("it has all of them");
        assert_eq!((roles.sender, roles.worker, roles.keeper, roles.page), ("front", "work", "store", "view"));
        assert_eq!((roles.broker, roles.database_server, roles.cache), ("mq", "db", "kv"));
        assert_eq!((roles.sent_queue, roles.stored_queue, roles.database), ("in", "out", "data"));
        assert!(roles.cache_is_anonymous);
    }

    #[test]
    fn what_is_lacking_is_named() {
        let lacking = |change: &dyn Fn(&mut Platform)| {
            let mut platform = declared();
            change(&mut platform);
            derived(platform).expect_err("a role is lacking")
        };
        let none = lacking(&|platform| platform.tests = Tests::DEFAULT);
        assert_eq!(none, "the platform declares no end-to-end test (`Tests::end_to_end`)");
        let clean = lacking(&|platform| platform.tests.end_to_end = Some(EndToEndTest { leftovers: None, ..TEST }));
        assert_eq!(clean, "the platform's end-to-end test leaves nothing in a database (`EndToEndTest::leaves`)");
        let short = lacking(&|platform| platform.tests.end_to_end = Some(EndToEndTest { through: &[], ..TEST }));
        assert_eq!(short, "no service that the end-to-end test goes through consumes `in`");
        let cacheless = lacking(&|platform| {
            platform.services[1].uses = const { &[WORK] };
            platform.backing.retain(|server| server.name() != KV.name);
        });
        assert_eq!(cacheless, "work, which consumes `in`, uses no cache");
    }

    #[test]
    fn relations_between_services_and_servers() {
        let platform = declared();
        assert_eq!(services(&platform), ["front", "work", "store", "view"]);
        assert_eq!(servers(&platform), ["mq", "db", "kv"]);
        assert_eq!(callers(&platform, "store"), ["view"]);
        assert_eq!((logins_at(&platform, "mq"), logins_at(&platform, "kv")), (3, 0));
        assert_eq!((never_reconnect(&platform, "mq"), never_reconnect(&platform, "kv")), (vec!["store"], vec![]));
        assert_eq!(amqp_login(&platform, "store", "mq").expect("it has one"), ("MQ_USER", "MQ_PASS"));
        assert!(amqp_login(&platform, "view", "mq").is_err());
    }
}
