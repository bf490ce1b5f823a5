//! Where the engine meets what isn't AWS: the simulated carriers, the demo apps and the console. Their settings in the
//! template, their routes, and the moment after a carrier's answer at which a fault may kill the function that asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use shared::secrets::{KeptSecret, Sealer};
use shared::store::Store;

use crate::control::Pending;
use crate::control::activity::Activity;
use crate::control::faults::{Faults, reset};
use crate::control::feed::Feed;
use crate::data_dir::DataDir;
use crate::engine::EngineHandles;
use crate::lambda::runtime::Runtime;
use crate::lambda::template::REGION;
use crate::outside::carriers::{self, CARRIERS, Carrier};
use crate::outside::seed::{self, Seeder};

/// Under this name the seed's AWS calls are counted.
const SEED: &str = "seed";

pub struct Simulation {
    carriers: carriers::State,
    seeder: Option<Seeder>,
}

impl Simulation {
    /// The template's parameters that lead to the simulated carriers.
    pub fn parameters(url: &str) -> BTreeMap<String, String> {
        let lead = |carrier: &dyn Carrier| {
            (carrier.api_parameter().to_owned(), format!("{url}/_carriers/{}", carrier.channel()))
        };
        let allow = ("WebhookPrivateNetworks".to_owned(), "allow".to_owned());
        CARRIERS.into_iter().map(lead).chain([allow]).collect()
    }

    pub fn start(
        handles: &EngineHandles,
        feed: Feed,
        faults: Faults,
        activity: Activity,
        data_dir: &DataDir,
    ) -> Result<Self, carriers::StartError> {
        let folder = data_dir.folder().map(ToOwned::to_owned);
        let table = table(handles);
        // A simulation calls nobody beyond this machine, whatever the real carriers would be told.
        let told = Some(handles.callbacks_url()).filter(|url| url.starts_with("http://127.0.0.1:"));
        let called = told.unwrap_or_else(|| handles.url.clone());
        let carriers = carriers::State::new(called, feed, faults, activity, folder.clone(), table.clone())?;
        let seeder = table.map(|table| Seeder::new(table.store, carriers.clone(), handles, folder));
        Ok(Self { carriers, seeder })
    }

    /// How much the carriers still have to send.
    pub fn pending(&self) -> Pending {
        let carriers = self.carriers.clone();
        Arc::new(move || carriers.pending())
    }

    /// Who makes demo apps; nobody in a stack that isn't this product's.
    pub fn seeder(&self) -> Option<Seeder> {
        self.seeder.clone()
    }

    /// Lets the carriers send what they still owed when the engine last stopped.
    pub fn resume(&self) {
        self.carriers.resume();
    }

    /// The carriers' own APIs, for `/_carriers`.
    pub fn carriers(&self, runtime: &Runtime) -> Router {
        carriers::router(self.carriers.clone()).layer(middleware::from_fn_with_state(runtime.clone(), kill_after))
    }

    /// What there is beyond AWS to see and set, for `/_local`.
    pub fn control(&self) -> Router {
        let control = carriers::control(self.carriers.clone());
        match &self.seeder {
            Some(seeder) => control.merge(seed::router(seeder.clone())),
            None => control,
        }
    }
}

/// The table as the product's own code sees it, if the stack has one.
fn table(handles: &EngineHandles) -> Option<carriers::Table> {
    let environment = handles.any_environment_with("SEALING_SECRET_ARN")?;
    let (name, secret) = (environment.get("TABLE_NAME")?.clone(), environment.get("SEALING_SECRET_ARN")?.clone());
    let credentials = Credentials::new("local", "local", None, None, "local engine");
    let config = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .http_client(shared::http::aws().ok()?)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(handles.aws_endpoint(SEED))
        .build();
    let store = Store::new(&config, name.clone(), Sealer::reading(KeptSecret::new(&config, secret)));
    Some(carriers::Table { store, client: aws_sdk_dynamodb::Client::new(&config), name })
}

/// Carriers aren't told which process calls them, so the first that waits for this death is taken to be the caller.
async fn kill_after(State(runtime): State<Runtime>, request: Request, next: Next) -> Response {
    // Below `/_carriers` the path begins with the channel.
    let channel = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    let response = next.run(request).await;
    if runtime.someone_killed_after(&format!("carrier:{channel}")) { reset() } else { response }
}
