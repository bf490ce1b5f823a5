//! Why a connection failed, in words that hold neither address nor secret: what an operator needs to know whether to
//! mend a name, a firewall, a certificate or nothing at all.

use std::error::Error;
use std::io;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    #[error("its name cannot be resolved")]
    UnknownName,
    #[error("it refused the connection")]
    Refused,
    #[error("there is no way to its network")]
    Unreachable,
    #[error("its certificate {0}")]
    Certificate(&'static str),
    #[error("it does not speak TLS as we do")]
    Tls,
    #[error("it reset the connection")]
    Reset,
    #[error("it closed the connection without an answer")]
    Closed,
    #[error("no connection came about in time")]
    ConnectTimedOut,
    #[error("no answer came in time")]
    TimedOut,
    #[error("the connection failed")]
    Failed,
}

/// A name that leads nowhere, or whose servers did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name cannot be resolved")]
pub struct UnknownName;

impl Cause {
    /// What lies deepest in an error's chain, if it is anything that has a name here.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut link = Some(error);
        while let Some(error) = link {
            if let Some(cause) = named(error) {
                return Some(cause);
            }
            link = error.source();
        }
        None
    }
}

fn named(error: &(dyn Error + 'static)) -> Option<Cause> {
    if error.is::<UnknownName>() {
        return Some(Cause::UnknownName);
    }
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(of_tls(tls));
    }
    let io = error.downcast_ref::<io::Error>()?;
    // The chain passes by what an I/O error was made of.
    let inner = io.get_ref().and_then(|inner| Cause::of(inner));
    inner.or(match io.kind() {
        io::ErrorKind::ConnectionRefused => Some(Cause::Refused),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Some(Cause::Reset)
        }
        io::ErrorKind::UnexpectedEof => Some(Cause::Closed),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some(Cause::Unreachable),
        _ => None,
    })
}

fn of_tls(error: &rustls::Error) -> Cause {
    use rustls::CertificateError as Fault;
    let rustls::Error::InvalidCertificate(fault) = error else { return Cause::Tls };
    Cause::Certificate(match fault {
        Fault::Expired | Fault::ExpiredContext { .. } => "has expired",
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => "is not valid yet",
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => "is for another name",
        Fault::UnknownIssuer => "is signed by no authority that we know",
        Fault::Revoked => "was revoked",
        _ => "is not valid",
    })
}
