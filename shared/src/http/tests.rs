use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

#[tokio::test]
async fn a_server_whose_certificate_no_authority_signed_is_not_spoken_to() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let server = rustls::ServerConfig::builder().with_no_client_auth();
    let server = TlsAcceptor::from(Arc::new(server.with_single_cert(vec![made.cert.der().clone()], key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let call = builder().build().unwrap().get(url).send();
    let greet = async { server.accept(listener.accept().await.unwrap().0).await.err().map(|error| error.to_string()) };
    let (called, greeted) = tokio::join!(call, greet);
    let called = called.unwrap_err();
    assert!(called.is_connect());
    assert_eq!(cause_of(&called), Cause::Certificate("is signed by no authority that we know"));
    assert_eq!(greeted.as_deref(), Some("received fatal alert: UnknownCA"));
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_forbidden_and_not_called() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let client = WebhookClient::new(false).unwrap();
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
        let target = format!("http://{host}:{port}/hook");
        let refused = client.post(&target, http::HeaderMap::new(), String::new(), CONNECT_TIMEOUT).await;
        assert!(matches!(refused, Err(WebhookError::Forbidden(ForbiddenTarget::Private(_)))), "{host}: {refused:?}");
    }
    assert!(listener.accept().is_err(), "nobody called");
}

/// Asks a server that reads the request and then does as told with the connection.
async fn asked<F: Future<Output = ()>>(then: impl FnOnce(TcpStream) -> F) -> Result<CarrierResponse, SendError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret", listener.local_addr().unwrap());
    let client = CarrierClient::new().unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4_096]).await;
        then(stream).await;
    };
    tokio::join!(client.send(http::Request::post(url).body(b"Hello".to_vec()).unwrap()), serve).0
}

async fn refused(url: &str) -> SendError {
    let client = CarrierClient::new().unwrap();
    client.send(http::Request::post(url).body(Vec::new()).unwrap()).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_read_as_far_as_it_came() {
    for head in ["content-length: 900", "transfer-encoding: chunked"] {
        let body = match head {
            "content-length: 900" => r#"{"sid":"SM1","#.to_owned(),
            _ => format!("d\r\n{}\r\n", r#"{"sid":"SM1","#),
        };
        let answer = asked(|mut stream| async move {
            let text = format!("HTTP/1.1 201 Created\r\n{head}\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).await.unwrap();
        });
        let answer = answer.await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_slice()), (201, &br#"{"sid":"SM1","#[..]), "{head}");
    }
}

#[tokio::test]
async fn an_answer_without_a_date_is_dated_when_it_comes() {
    let text = "HTTP/1.1 503 Down\r\ncontent-length: 0\r\nretry-after: Fri, 31 Dec 2100 00:00:00 GMT\r\n\r\n";
    let answer = asked(|mut stream| async move { stream.write_all(text.as_bytes()).await.unwrap() }).await.unwrap();
    assert!(retry_after(answer.headers()).is_some_and(|wish| wish > 86_400));
}

#[tokio::test]
async fn failures_of_a_connection_are_told_apart_and_name_no_address() {
    let closed = asked(|stream| async move { drop(stream) }).await.unwrap_err();
    assert_eq!(closed.kind, SendErrorKind::Undecided);
    assert!(closed.reason.contains("it closed the connection"), "{}", closed.reason);
    let reset = asked(|stream| async move { stream.set_zero_linger().unwrap() }).await.unwrap_err();
    assert_eq!(reset.kind, SendErrorKind::Undecided);
    assert!(reset.reason.contains("it reset the connection"), "{}", reset.reason);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let shut = refused(&format!("http://{free}/secret")).await;
    assert_eq!(shut.kind, SendErrorKind::Unavailable);
    assert_eq!(shut.reason, "The carrier could not be reached: it refused the connection");
    // Longer than a name may be: no server is asked.
    let nameless = refused(&format!("http://{}.invalid/secret", "x".repeat(64))).await;
    assert_eq!(nameless.reason, "The carrier could not be reached: its name cannot be resolved");
}

#[tokio::test]
async fn a_webhooks_failure_says_why() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = WebhookClient::new(true).unwrap();
    let refused =
        client.post(&format!("http://{free}/hook"), http::HeaderMap::new(), String::new(), CONNECT_TIMEOUT).await;
    assert_eq!(refused.unwrap_err().to_string(), "no answer: it refused the connection");
}
