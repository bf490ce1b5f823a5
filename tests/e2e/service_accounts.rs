//! Service accounts: how far their keys reach, and what stays when they go.

use serde_json::json;

use crate::apps::{
    account, delete, get, names, new_app, new_key, new_service_account, owned, post, put, refused, text, with_token,
};
use crate::world::World;

#[tokio::test]
async fn a_service_account_reaches_the_apps_linked_to_it_and_no_other() {
    let world = World::new().await;
    let owner = account(&world);
    let service_account = new_service_account(&world).await;
    let helper = new_key(&world, &owner, &format!("/v1.1/serviceaccounts/{service_account}/keys")).await;
    assert!(helper.0.starts_with("svc_"), "{}", helper.0);
    let linked = new_app(&world, &helper, "Linked").await;
    let unlinked = new_app(&world, &owner, "Unlinked").await;

    assert_eq!(names(&get(&world, &helper, "/v1.1/apps").await, "apps"), ["Linked"]);
    let of_it = format!("/v1.1/apps?serviceAccountId={service_account}");
    assert_eq!(names(&get(&world, &owner, &of_it).await, "apps"), ["Linked"]);
    assert_eq!(names(&get(&world, &helper, &of_it).await, "apps"), ["Linked"]);
    let another = new_service_account(&world).await;
    for key in [&owner, &helper] {
        let of_another = get(&world, key, &format!("/v1.1/apps?serviceAccountId={another}")).await;
        assert!(names(&of_another, "apps").is_empty());
    }
    assert_eq!(get(&world, &helper, &format!("/v1.1/apps/{linked}")).await.status, 200);
    refused(&get(&world, &helper, &format!("/v1.1/apps/{unlinked}")).await, 403, "forbidden");
    refused(&delete(&world, &helper, &format!("/v1.1/apps/{unlinked}")).await, 403, "forbidden");
    refused(&get(&world, &helper, "/v1.1/serviceaccounts").await, 403, "forbidden");
    let own_keys = format!("/v1.1/serviceaccounts/{service_account}/keys");
    refused(&get(&world, &helper, &own_keys).await, 403, "forbidden");
    let made = new_key(&world, &helper, &format!("/v1.1/apps/{linked}/keys")).await;
    assert_eq!(get(&world, &made, &format!("/v1.1/apps/{linked}")).await.status, 200);
    let token = text(&get(&world, &owner, &format!("{own_keys}/{}/jwt", helper.0)).await.body["jwt"]);
    assert_eq!(names(&with_token(&world, &token, "/v1.1/apps").await, "apps"), ["Linked"]);
    world.end().await;
}

#[tokio::test]
async fn a_service_account_lives_and_dies_and_its_apps_stay() {
    let world = World::new().await;
    let owner = account(&world);
    let id = new_service_account(&world).await;
    let path = format!("/v1.1/serviceaccounts/{id}");
    let helper = new_key(&world, &owner, &format!("{path}/keys")).await;
    let app = new_app(&world, &helper, "Left behind").await;

    let shown = json!({ "serviceAccount": { "_id": id, "name": "Helper" } });
    assert_eq!(get(&world, &owner, &path).await.body, shown);
    let renamed = put(&world, &owner, &path, json!({ "name": "Right hand" })).await;
    assert_eq!(renamed.body, json!({ "serviceAccount": { "_id": id, "name": "Right hand" } }));
    assert_eq!(put(&world, &owner, &path, json!({})).await.body, renamed.body);
    refused(&put(&world, &owner, &path, json!({ "name": null })).await, 400, "bad_request");
    let second = new_service_account(&world).await;
    let page = get(&world, &owner, "/v1.1/serviceaccounts?limit=1").await;
    assert_eq!((names(&page, "serviceAccounts").len(), &page.body["hasMore"]), (1, &json!(true)));

    assert_eq!(delete(&world, &owner, &path).await.body, json!({}));
    for gone in [
        get(&world, &owner, &path).await,
        delete(&world, &owner, &path).await,
        put(&world, &owner, &path, json!({ "name": "Back" })).await,
        get(&world, &owner, &format!("{path}/keys")).await,
        post(&world, &owner, &format!("{path}/keys"), json!({ "name": "Back" })).await,
        get(&world, &owner, "/v1.1/serviceaccounts/nobody").await,
    ] {
        refused(&gone, 404, "service_account_not_found");
    }
    refused(&get(&world, &helper, "/v1.1/apps").await, 401, "unauthorized");
    assert_eq!(get(&world, &owner, &format!("/v1.1/apps/{app}")).await.status, 200);
    let other = world.another_app(json!({})).await;
    let stranger = owned(other.account_key());
    refused(
        &get(&world, &stranger, &format!("/v1.1/serviceaccounts/{second}")).await,
        404,
        "service_account_not_found",
    );
    world.end().await;
}
