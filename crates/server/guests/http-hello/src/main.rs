//! An HTTP component: says hello, echoes, and passes a request on to another Service.

use wstd::http::{Body, Client, Error, Request, Response, StatusCode};

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let path = request.uri().path().to_string();
    println!("{} {path}", request.method());
    if let Some(service) = path.strip_prefix("/ask/") {
        let url = format!("http://{service}/");
        let reply = Client::new().send(Request::get(url).body(Body::empty())?).await?;
        return Ok(reply);
    }
    match path.as_str() {
        "/" => {
            let name = std::env::var("GREETING_NAME").unwrap_or_else(|_| "world".into());
            Ok(Response::new(format!("hello, {name}\n").into()))
        }
        "/echo" => Ok(Response::new(request.into_body())),
        "/allocate" => {
            let block = std::hint::black_box(vec![1u8; 256 << 20]);
            Ok(Response::new(format!("{} bytes\n", block.len()).into()))
        }
        _ => Ok(Response::builder().status(StatusCode::NOT_FOUND).body("not found\n".to_owned().into())?),
    }
}
