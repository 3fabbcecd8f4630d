//! What the daemon answers over HTTP: whether it lives, whether it can do its work, and how it goes.
//!
//! Meant for loopback and for the machine's own monitoring; nothing of any person is in it.

mod metrics;
mod process;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use metrics::{Metrics, NudgeMetrics, SourceMetrics};
use process::Process;

/// Answers what is asked, when it is asked.
pub trait Vitals: Send + Sync + 'static {
    /// Whether what is read can be stored, and why not.
    fn ready(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// What is measured, or why it cannot be told.
    fn metrics(&self) -> impl Future<Output = Result<Metrics, String>> + Send;
}

/// Binds `listen`.
///
/// # Errors
/// What the system says, such as that the port is taken.
pub async fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(listen).await
}

/// Serves until `stop`: `/-/healthy` is 200 as long as the process turns, `/-/ready` is 200 or 503
/// with the reason, `/metrics` what is measured.
///
/// # Errors
/// What the listener says.
pub async fn serve<V: Vitals>(
    listener: TcpListener,
    vitals: Arc<V>,
    stop: CancellationToken,
) -> io::Result<()> {
    let router = Router::new()
        .route("/-/healthy", get(|| async { "ok\n" }))
        .route("/-/ready", get(ready::<V>))
        .route("/metrics", get(measured::<V>))
        .with_state(vitals);
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn ready<V: Vitals>(State(vitals): State<Arc<V>>) -> (StatusCode, String) {
    match vitals.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn measured<V: Vitals>(State(vitals): State<Arc<V>>) -> Response {
    let rendered = match vitals.metrics().await {
        Ok(metrics) => metrics::render(metrics, Process::read()).map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    match rendered {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    struct Sick(Option<&'static str>);

    impl Vitals for Sick {
        async fn ready(&self) -> Result<(), String> {
            self.0.map_or(Ok(()), |why| Err(why.to_owned()))
        }

        async fn metrics(&self) -> Result<Metrics, String> {
            self.0.map_or_else(|| Ok(Metrics::default()), |why| Err(why.to_owned()))
        }
    }

    async fn ask(vitals: Sick, path: &str) -> String {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, Arc::new(vitals), stop.clone()));
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        stop.cancel();
        server.await.unwrap().unwrap();
        answer
    }

    #[tokio::test]
    async fn it_tells_whether_it_can_work() {
        for (vitals, path, status, body) in [
            (Sick(None), "/-/healthy", "200", "ok"),
            (Sick(None), "/-/ready", "200", "ready"),
            (Sick(Some("disk full")), "/-/healthy", "200", "ok"),
            (Sick(Some("disk full")), "/-/ready", "503", "disk full"),
            (Sick(None), "/metrics", "200", "# EOF"),
            (Sick(Some("disk full")), "/metrics", "503", "disk full"),
            (Sick(None), "/etc/passwd", "404", ""),
        ] {
            let answer = ask(vitals, path).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
            assert!(answer.trim_end().ends_with(body), "{path}: {answer}");
        }
    }
}
