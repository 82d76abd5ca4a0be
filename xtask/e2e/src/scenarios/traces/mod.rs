//! The instrumentation of the programs, and the chart beside the umbrella: the gateway and Jaeger, with the stand-ins on real web frameworks.

mod backend;
mod closed;
mod platform;
mod sampling;
mod spans;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use e2e_kit::lane::Lane;
use e2e_kit::report::Outcome;
use e2e_kit::{process, random};

use self::backend::Backend;
use self::platform::Traced;
use self::spans::{Span, Trace};
use crate::roles::Roles;

/// The time from a request to its trace in Jaeger: the programs fill a batch for 5 s, and the gateway waits 10 s for the spans of a trace.
const ARRIVES: Duration = Duration::from_secs(60);

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
    let backend = Backend::as_step(lane)?;
    let traced = Traced::as_step(lane, roles)?;
    lane.step("helm install --wait of the gateway and Jaeger", || {
        backend.apply("install", &traced.release()?, 1)?;
        Ok(String::new())
    })?;
    lane.step("helm install --wait of the platform with the values of the notes", || {
        traced.apply("install", &backend.values_of_notes()?, 1)?;
        Ok(String::new())
    })?;
    let scene = Scene { roles, traced: &traced, backend: &backend, secret: format!("s{}", random::suffix()) };
    scene.run(lane)?;
    closed::tried(lane, &scene)?;
    lane.step("Jaeger is away for two minutes: no service notices, and no trace is lost", || scene.outage())?;
    lane.step("with the sampling ratio 0 the programs record no trace", || scene.unsampled())?;
    lane.step("the gateway keeps traces with an error and slow ones, and drops others", || sampling::tried(&scene))
}

struct Scene<'a> {
    roles: Roles,
    traced: &'a Traced<'a>,
    backend: &'a Backend<'a>,
    /// In the bodies of all events, and so in the parameters of statements.
    secret: String,
}

impl Scene<'_> {
    fn run(&self, lane: &Lane) -> Outcome {
        lane.step("probes and scrapes are requested", || self.traced.request_untraced())?;
        lane.step("an event is one trace, from the request to the row", || {
            let began = Instant::now();
            let marker = self.event()?;
            let trace = self.arrived(self.roles.sender, &marker, |trace| self.is_of_event(trace))?;
            Ok(format!("{} spans, {:.0} s after the request", trace.spans.len(), began.elapsed().as_secs_f32()))
        })?;
        lane.step("a request for the page is one trace, to the statement that reads the rows", || {
            let marker = marker();
            self.traced.page(&marker)?;
            let trace = self.arrived(self.roles.page, &marker, |trace| self.is_of_page(trace))?;
            Ok(format!("{} spans", trace.spans.len()))
        })?;
        lane.step("no probe and no scrape is a span, and no span has a parameter of a statement", || self.all_spans())
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

    fn all_spans(&self) -> anyhow::Result<String> {
        let traces = self.all()?;
        let untraced = self.traced.untraced_paths();
        let spans = || traces.iter().flat_map(|trace| &trace.spans);
        let requests = spans().filter(|span| span.path().is_some()).count();
        ensure!(requests > 0 && !untraced.is_empty(), "there is no span of a request");
        for span in spans() {
            let is_untraced = span.path().is_some_and(|path| untraced.contains(path));
            ensure!(!is_untraced, "a probe or a scrape is a span: {span:#?}");
            ensure!(!span.contains(&self.secret), "a span has the content of an event: {span:#?}");
        }
        let statements: BTreeSet<_> =
            spans().filter_map(Span::statement).filter_map(|text| text.split_whitespace().next()).collect();
        Ok(format!(
            "{} spans of requests; statements {}",
            requests,
            statements.into_iter().collect::<Vec<_>>().join(", ")
        ))
    }

    fn outage(&self) -> anyhow::Result<String> {
        let release = self.traced.release()?;
        let before = release.uids()?;
        self.backend.jaeger_runs(false)?;
        let (began, mut markers) = (Instant::now(), Vec::new());
        for number in 1..=REQUESTS {
            let marker = marker();
            self.traced.send("nobody", &marker, 1)?;
            markers.push(marker);
            process::sleep((AWAY * number / REQUESTS).saturating_sub(began.elapsed()))?;
        }
        let event = self.event()?;
        release.whole()?;
        let rolled = release.rolled_since(&before)?;
        ensure!(rolled.is_empty(), "restarted meanwhile: {rolled:?}");
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
