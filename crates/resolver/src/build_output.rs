//! What builds print while they run, for whoever wants to show it. The library that runs them notes each line, within a span that
//! says which package is built.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Who notes the lines.
const TARGET: &str = "uv_build_frontend";

/// The span within which a build prints; what is noted elsewhere is the library's own.
const SPAN: &str = "run_python_script";

/// Hears each line that a build prints, with the package that is built: its name and version, or what else is known of it. For a
/// subscriber of `tracing`.
pub fn build_output<S>(hear: impl Fn(&str, &str) + Send + Sync + 'static) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    Lines(hear).with_filter(Targets::new().with_target(TARGET, LevelFilter::DEBUG))
}

struct Lines<F>(F);

/// The package that is built, as a span has it.
#[derive(Default)]
struct Built(String);

impl<S, F> Layer<S> for Lines<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    F: Fn(&str, &str) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|span| span.name() == SPAN) else { return };
        let mut text = Text { field: "version_id", value: String::new() };
        attributes.record(&mut text);
        span.extensions_mut().insert(Built(text.value));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let extensions = span.extensions();
        let Some(built) = extensions.get::<Built>() else { return };
        let mut text = Text { field: "message", value: String::new() };
        event.record(&mut text);
        (self.0)(&built.0, &text.value);
    }
}

/// The value of one field.
struct Text {
    field: &'static str,
    value: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == self.field {
            value.clone_into(&mut self.value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == self.field {
            self.value = format!("{value:?}");
        }
    }
}
