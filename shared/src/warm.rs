//! Connections that the first event will need, opened while Lambda fetches that event.
//!
//! A start is over when the function asks for its first event. Making and signing the requests that open connections is
//! half as much work as all of the start, so it is done after the question, and in the time that its answer takes.

/// So often others have their turn before: the poll is sent over a connection to this machine, and needs a handful.
const TURNS: usize = 16;

/// Runs beside whatever the function does, and begins behind its first poll. Must be bounded and harmless when it fails.
pub fn behind_the_first_poll(warm: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        warm.await;
    });
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_question_to_this_machine_goes_first() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let (warmed, end) = oneshot::channel();
        let log = Arc::clone(&order);
        behind_the_first_poll(async move {
            log.lock().unwrap().push("warm");
            warmed.send(()).unwrap();
        });
        let mut connection = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        connection.write_all(b"GET /next HTTP/1.1\r\n\r\n").await.unwrap();
        order.lock().unwrap().push("asked");
        end.await.unwrap();
        assert_eq!(*order.lock().unwrap(), ["asked", "warm"]);
    }
}
