//! Serves a router on a listener: HTTP/1 straight on hyper, because a fault must be able to close a connection without
//! an answer, which a router alone can't.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::control::faults::Reset;

/// Serves until dropped; then every connection is closed at once.
pub async fn serve(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // Out of file handles or a client gone already: the next one may do better.
                let Ok((stream, peer)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let router = router.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| answer(router.clone(), peer, request));
                    let connection = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(None)
                        .serve_connection(TokioIo::new(stream), service)
                        .with_upgrades();
                    // How a client leaves is its own business.
                    let _ = connection.await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(router: Router, peer: SocketAddr, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = hyper::service::Service::call(&TowerToHyperService::new(router), request)
        .await
        .unwrap_or_else(|never: Infallible| match never {});
    if response.extensions().get::<Reset>().is_some() { Err(Dropped) } else { Ok(response) }
}

/// Ends a connection without an answer.
#[derive(Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed on purpose")
    }
}

impl std::error::Error for Dropped {}
