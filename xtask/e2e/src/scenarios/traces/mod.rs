//! The instrumentation of the programs, and the chart beside the umbrella: the gateway and Jaeger, with the stand-ins on real web frameworks.

mod backend;
mod closed;
pub(super) mod costs;
mod platform;
mod sampling;
mod spans;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use e2e_kit::lane::{Lane, all};
use e2e_kit::report::Outcome;
use e2e_kit::{process, random};
use serde_json::json;
use vocabulary::{Platform, Runtime};

use self::backend::Backend;
use self::platform::Traced;
use self::spans::{Span, Trace};
use crate::roles::Roles;

/// The time from a request to its trace in Jaeger: the programs fill a batch for 5 s, and the gateway waits 10 s for the spans of a trace.
const ARRIVES: Duration = Duration::from_mins(1);

/// Longer than a trace takes that does arrive.
const QUIET: Duration = Duration::from_secs(30);

/// The time without Jaeger, and the requests meanwhile.
const AWAY: Duration = Duration::from_mins(2);
const REQUESTS: u32 = 8;

/// The time from Jaeger's return to the last trace that the gateway kept: it tries again every 30 s, more or less.
const RESENT: Duration = Duration::from_mins(2);

/// The time from an event to its place on the page.
const SHOWN: Duration = Duration::from_mins(1);

pub(super) fn run(lane: &Lane) -> Outcome {
    let roles = Roles::of_lane(lane)?;
    if let Some(service) = untraced(lane.context.platform.platform(), &roles) {
        lane.not_applicable(
            "this scenario",
            &format!("the chart does not trace {service}, which is no Python program"),
        );
        return Ok(());
    }
    let backend = Backend::as_step(lane)?;
    let traced = Traced::as_step(lane, &roles)?;
    lane.step("helm install --wait of the gateway and Jaeger", || {
        // Traces are found by a marker in the queries of their requests.
        backend.apply("install", &traced.release()?, 1, &json!({ "privacy": { "removeUrlQueries": false } }))?;
        Ok(String::new())
    })?;
    lane.step("helm install --wait of the platform with the values of the notes", || {
        traced.apply("install", &backend.values_of_notes()?, 1)?;
        Ok(String::new())
    })?;
    let scene = Scene { roles, traced: &traced, backend: &backend, secret: format!("s{}", random::suffix()) };
    // Pods that have done little since their start.
    let instrumented = OnceCell::new();
    lane.step("probes and scrapes are requested", || traced.request_untraced())?;
    all([
        lane.step("an event is one trace, from the request to the row", || scene.event_is_one_trace()),
        lane.step("a request for the page is one trace, to the statement that reads the rows", || {
            scene.page_is_one_trace()
        }),
        lane.step("no probe and no scrape is a span", || scene.untraced()),
        lane.step("no span has the content of an event", || scene.without_content()),
        closed::tried(lane, &scene),
        lane.step("Jaeger is away for two minutes: no service notices, and no trace is lost", || scene.outage()),
        lane.step("with the sampling ratio 0 the programs record no trace", || {
            let quiet = scene.unsampled()?;
            instrumented.set(costs::started(&scene)?).map_err(|_| anyhow!("the step runs once"))?;
            Ok(quiet)
        }),
        lane.step("what the gateway and Jaeger take under a load", || costs::of_backend(&scene)),
        lane.step(
            "the gateway keeps traces with an error and slow ones, without personal data, and drops others",
            || sampling::tried(&scene),
        ),
        lane.step("what the instrumentation takes more at the start of a Pod", || {
            costs::of_instrumentation(&scene, instrumented.get().context("the Pods with it were not counted")?)
        }),
    ])
}

struct Scene<'a> {
    roles: Roles,
    traced: &'a Traced<'a>,
    backend: &'a Backend<'a>,
    /// In the bodies of all events, and so in the parameters of statements.
    secret: String,
}

impl Scene<'_> {
    fn event_is_one_trace(&self) -> anyhow::Result<String> {
        let began = Instant::now();
        let marker = self.event()?;
        let trace = self.arrived(self.roles.sender, &marker, |trace| self.is_of_event(trace))?;
        Ok(format!("{} spans, {:.0} s after the request", trace.spans.len(), began.elapsed().as_secs_f32()))
    }

    fn page_is_one_trace(&self) -> anyhow::Result<String> {
        let marker = marker();
        self.traced.page(&marker)?;
        let trace = self.arrived(self.roles.page, &marker, |trace| self.is_of_page(trace))?;
        Ok(format!("{} spans", trace.spans.len()))
    }

    /// Sends an event, and waits until the page shows it. Returns the marker in the requests' addresses.
    fn event(&self) -> anyhow::Result<String> {
        let marker = marker();
        let user = format!("{}-{marker}", self.secret);
        self.traced.send(&user, &marker, self.roles.fixture.times)?;
        process::until(SHOWN, Duration::from_secs(1), || {
            let page = self.traced.page("")?;
            Ok(if page.contains(&user) { Ok(()) } else { Err(format!("the page does not show {user}:\n{page}")) })
        })?;
        Ok(marker)
    }

    /// Waits for a trace with the marker for which `wrong` returns `Ok`.
    fn arrived(
        &self,
        service: &str,
        marker: &str,
        is_right: impl Fn(&Trace) -> anyhow::Result<()>,
    ) -> anyhow::Result<Trace> {
        process::until(ARRIVES, Duration::from_secs(2), || {
            let mut lacking = format!("Jaeger has no trace of {service} with {marker}");
            for trace in self.backend.traces(service)?.into_iter().filter(|trace| trace.contains(marker)) {
                match is_right(&trace) {
                    Ok(()) => return Ok(Ok(trace)),
                    Err(error) => lacking = format!("{error:#}\n{}", trace.drawn()),
                }
            }
            Ok(Err(lacking))
        })
    }

    /// Whether a trace is that of an event that became a row.
    fn is_of_event(&self, trace: &Trace) -> anyhow::Result<()> {
        let Roles { sender, worker, keeper, test, .. } = self.roles;
        let insert = trace.statement("INSERT").context("the trace has no INSERT")?;
        leads(trace, &[sender, worker, keeper], insert)?;
        is_request(trace.root()?, sender, test.request.path.as_str())
    }

    /// Whether a trace is that of a request for the page.
    fn is_of_page(&self, trace: &Trace) -> anyhow::Result<()> {
        let Roles { page, keeper, test, .. } = self.roles;
        let select = trace.statement("SELECT").context("the trace has no SELECT")?;
        leads(trace, &[page, keeper], select)?;
        is_request(trace.root()?, page, test.page.path.as_str())
    }

    /// All traces of all services.
    fn all(&self) -> anyhow::Result<Vec<Trace>> {
        let mut traces = Vec::new();
        for service in self.backend.services()? {
            traces.extend(self.backend.traces(&service)?);
        }
        Ok(traces)
    }

    fn untraced(&self) -> anyhow::Result<String> {
        let (traces, paths) = (self.all()?, self.traced.untraced_paths());
        let requests: Vec<_> = spans(&traces).filter_map(|span| Some((span.path()?, span))).collect();
        ensure!(!requests.is_empty() && !paths.is_empty(), "there is no span of a request, or no probe");
        for (path, span) in &requests {
            ensure!(!paths.contains(path), "this is a span: {span:#?}");
        }
        Ok(format!("{} other spans of requests", requests.len()))
    }

    fn without_content(&self) -> anyhow::Result<String> {
        let traces = self.all()?;
        for span in spans(&traces) {
            ensure!(!span.contains(&self.secret), "this span has it: {span:#?}");
        }
        let statements = spans(&traces).filter_map(Span::statement);
        let words: BTreeSet<_> = statements.filter_map(|text| text.split_whitespace().next()).collect();
        ensure!(!words.is_empty(), "there is no span of a statement");
        Ok(format!("statements {}", words.into_iter().collect::<Vec<_>>().join(", ")))
    }

    fn outage(&self) -> anyhow::Result<String> {
        let (release, ready) = (self.traced.release()?, self.traced.ready_since()?);
        let before = release.uids()?;
        self.backend.jaeger_runs(false)?;
        let (began, mut markers) = (Instant::now(), Vec::new());
        for number in 1..=REQUESTS {
            let marker = marker();
            self.traced.send(&format!("{}-{marker}", self.secret), &marker, 1)?;
            markers.push(marker);
            process::sleep((AWAY * number / REQUESTS).saturating_sub(began.elapsed()))?;
        }
        let event = self.event()?;
        release.whole()?;
        let rolled = release.rolled_since(&before)?;
        ensure!(rolled.is_empty(), "restarted meanwhile: {rolled:?}");
        let still_ready = self.traced.ready_since()?;
        ensure!(still_ready == ready, "Pods were not Ready meanwhile: since {still_ready:?}, and before {ready:?}");
        self.backend.jaeger_runs(true)?;
        let returned = Instant::now();
        process::until(RESENT, Duration::from_secs(3), || {
            let traces = self.backend.traces(self.roles.sender)?;
            let is_there = |marker: &&String| traces.iter().any(|trace| trace.contains(marker));
            let missing: Vec<_> = markers.iter().chain([&event]).filter(|marker| !is_there(marker)).collect();
            Ok(if missing.is_empty() {
                Ok(())
            } else {
                Err(format!("{} of {} traces are missing", missing.len(), markers.len() + 1))
            })
        })?;
        let took = returned.elapsed().as_secs();
        self.arrived(self.roles.sender, &event, |trace| self.is_of_event(trace))?;
        self.backend.whole()?;
        Ok(format!("{} traces, {took} s after its return", markers.len() + 1))
    }

    fn unsampled(&self) -> anyhow::Result<String> {
        self.traced.apply("upgrade", &self.backend.values_of_notes()?, 0)?;
        let marker = self.event()?;
        process::sleep(QUIET)?;
        let found: Vec<_> = self.all()?.into_iter().filter(|trace| trace.contains(&marker)).collect();
        ensure!(found.is_empty(), "{}", found.iter().map(Trace::drawn).collect::<Vec<_>>().join("\n"));
        Ok(String::new())
    }
}

/// The service with a role in the event's way that the chart does not trace.
fn untraced(platform: &Platform, roles: &Roles) -> Option<&'static str> {
    let of_roles = [roles.sender, roles.worker, roles.keeper, roles.page];
    let mut other = platform.services.iter().filter(|service| service.runtime != Runtime::Python);
    other.find(|service| of_roles.contains(&service.name.as_str())).map(|service| service.name.as_str())
}

fn spans(traces: &[Trace]) -> impl Iterator<Item = &Span> {
    traces.iter().flat_map(|trace| &trace.spans)
}

/// A text that is in no other span.
fn marker() -> String {
    format!("m{}", random::suffix())
}

/// Fails unless the trace has spans of exactly these services, and leads through them in this order to a statement of the last.
fn leads(trace: &Trace, services: &[&str], to: &Span) -> anyhow::Result<()> {
    trace.root()?;
    let path = trace.path_to(to);
    ensure!(path == services, "the trace leads through {path:?}, not {services:?}");
    let all = trace.services();
    ensure!(all == services.iter().copied().collect(), "the trace has spans of {all:?}");
    Ok(())
}

/// Fails unless the span is a request for a path of a service.
fn is_request(span: &Span, service: &str, path: &str) -> anyhow::Result<()> {
    let is_it = span.service == service && span.path() == Some(path);
    ensure!(is_it, "the trace begins with {}, not with a request for {path} of {service}", span.title());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::tests::{FIXTURE, declared};

    #[test]
    fn a_service_of_another_runtime_is_named() {
        let roles = |platform: &Platform| {
            let resolved = platform.clone().resolve().map_err(|wrong| wrong.to_string()).expect("it is valid");
            Roles::derive(&resolved, Some(FIXTURE)).expect("it has all of them")
        };
        let mut platform = declared();
        for service in &mut platform.services {
            service.runtime = Runtime::Python;
        }
        assert_eq!(untraced(&platform, &roles(&platform)), None);
        platform.services[3].runtime = Runtime::Other;
        assert_eq!(untraced(&platform, &roles(&platform)), Some("view"));
    }
}
