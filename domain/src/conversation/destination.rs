//! By which of a person's clients a message goes (docs/REFERENCE.md, 4.1).

use crate::model::{ApiError, Client, ClientStatus, Person, Target};

/// The one that is named, or the one used last. A person without any is written to all the same: the message is kept.
pub fn choose<'a>(person: &'a Person, target: Option<&Target>) -> Result<Vec<&'a Client>, ApiError> {
    let Some(target) = target else {
        let reached = person.primary().filter(|client| client.status == ClientStatus::Active);
        return Ok(reached.into_iter().collect());
    };
    let is_named = |client: &&Client| target.is(client.platform, client.integration_id);
    let named = person.clients.iter().filter(is_named).max_by_key(|client| (client.preferred(), client.linked));
    match named {
        Some(client) => Ok(vec![client]),
        None => Err(ApiError::field("destination", "names no client of the user")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use crate::ids::{ClientId, IntegrationId};
    use crate::model::{Address, AppUser, ChannelType, Timestamp};

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn client(platform: ChannelType, last_seen: i64) -> Client {
        Client {
            id: ClientId::generate(&Counter),
            platform,
            integration_id: IntegrationId::generate(&Counter),
            external_id: Address::e164("+14165550142").unwrap(),
            display_name: None,
            status: ClientStatus::Active,
            linked: NOW,
            secondary: false,
            last_seen: Some(NOW.plus_seconds(last_seen)),
            raw: serde_json::Map::new(),
        }
    }

    fn person(clients: Vec<Client>) -> Person {
        Person { user: AppUser::new(&Counter, NOW), clients, pending: vec![] }
    }

    #[test]
    fn the_client_used_last_gets_it_unless_another_is_named() {
        let (old, new) = (client(ChannelType::Twilio, 1), client(ChannelType::Messagebird, 2));
        let person = person(vec![old.clone(), new.clone()]);
        assert_eq!(choose(&person, None).unwrap(), [&new]);
        let twilio = Target { integration_id: None, channel: Some("twilio".into()) };
        assert_eq!(choose(&person, Some(&twilio)).unwrap(), [&old]);
        let neither = Target { integration_id: Some(old.integration_id), channel: Some("messagebird".into()) };
        assert!(choose(&person, Some(&neither)).is_err());
    }

    #[test]
    fn nobody_is_reached_without_a_client() {
        assert!(choose(&person(vec![]), None).unwrap().is_empty());
    }
}
