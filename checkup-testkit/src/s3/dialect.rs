//! The differences of servers other than Amazon's: what they lack, and how they word a refusal.

/// A server that speaks the S3 protocol, with its peculiarities. The answers are those of Garage 2.5, Ceph RGW 16.2, `OpenStack` Swift 2.30
/// with `s3api`, and s3rver 3.7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum S3Dialect {
    /// Amazon S3, as it is documented.
    #[default]
    Amazon,
    /// Ceph's RADOS gateway. It denies `DeleteObjects` to a key whose policy allows `s3:DeleteObject` on the objects alone.
    Ceph,
    /// Garage. It ignores `If-None-Match` of a put, and answers nothing without a signature.
    Garage,
    /// `OpenStack` Swift. It refuses `If-None-Match` of a put, and labels the answer to `DeleteObjects` as `text/html`.
    Swift,
    /// s3rver. It ignores `If-None-Match` of a put.
    S3rver,
    /// `MinIO`.
    MinIo,
    /// Not an S3 server at all: a web server.
    Website,
}

/// Why a server refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum S3Cause {
    /// It does not know the access key.
    UnknownKey,
    /// The secret of the access key is wrong.
    WrongSecret,
    /// The session token has expired.
    ExpiredToken,
    /// The client's clock is wrong.
    WrongClock,
    /// It answers nothing without a signature.
    NoAnonymous,
    /// The key may not do that.
    Denied,
    /// There is no such bucket.
    NoBucket,
    /// The bucket is in another region.
    OtherRegion,
    /// The quota of the bucket or of its owner is used up.
    QuotaFull,
    /// Its disks are full.
    ServerFull,
    /// It does not have the storage class.
    NoStorageClass,
    /// The object is archived, as Glacier does.
    Archived,
    /// The object is encrypted with a key that its writer keeps.
    CustomerKey,
    /// The key in KMS cannot be used.
    Kms,
    /// The account is suspended.
    Suspended,
    /// It asks for fewer requests.
    Busy,
    /// It has a fault.
    Fault,
    /// It is not an S3 server.
    NotS3,
}

/// A refusal in the words of a server, for [`S3Server::refuse_all`](super::S3Server::refuse_all).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct S3Refusal {
    /// The server.
    pub dialect: S3Dialect,
    /// Why it refuses.
    pub cause: S3Cause,
    /// The status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: &'static str,
}

impl S3Dialect {
    pub(super) fn ignores_put_conditions(self) -> bool {
        matches!(self, Self::Garage | Self::S3rver)
    }

    pub(super) fn refuses_put_conditions(self) -> bool {
        self == Self::Swift
    }

    pub(super) fn denies_bulk_deletes(self) -> bool {
        self == Self::Ceph
    }

    pub(super) fn mislabels_documents(self) -> bool {
        self == Self::Swift
    }

    /// How this server refuses every request without a signature, if it does.
    pub(super) fn no_anonymous(self) -> Option<&'static S3Refusal> {
        let is_it = |refusal: &&S3Refusal| refusal.dialect == self && refusal.cause == S3Cause::NoAnonymous;
        S3Refusal::all().iter().find(is_it).filter(|_| matches!(self, Self::Garage | Self::Swift))
    }

    /// This server's form of Amazon's error with this code.
    pub(super) fn refusal(self, code: &str) -> Option<&'static S3Refusal> {
        let cause = match code {
            "InvalidAccessKeyId" => S3Cause::UnknownKey,
            "SignatureDoesNotMatch" => S3Cause::WrongSecret,
            "RequestTimeTooSkewed" => S3Cause::WrongClock,
            "AccessDenied" => S3Cause::Denied,
            "NoSuchBucket" => S3Cause::NoBucket,
            _ => return None,
        };
        S3Refusal::all().iter().find(|refusal| refusal.dialect == self && refusal.cause == cause)
    }
}

impl S3Refusal {
    /// All that are known.
    pub fn all() -> &'static [Self] {
        &REFUSALS
    }
}

const fn refusal(dialect: S3Dialect, cause: S3Cause, status: u16, body: &'static str) -> S3Refusal {
    S3Refusal { dialect, cause, status, content_type: "application/xml", body }
}

const fn page(dialect: S3Dialect, cause: S3Cause, status: u16, body: &'static str) -> S3Refusal {
    S3Refusal { dialect, cause, status, content_type: "text/html; charset=UTF-8", body }
}

macro_rules! error {
    ($code:literal, $message:literal $(, $more:literal)?) => {
        concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>", $code, "</Code><Message>", $message, "</Message>", $($more,)?
            "<RequestId>0A1B2C3D4E5F6789</RequestId></Error>"
        )
    };
}

/// Ceph sends no message.
macro_rules! ceph {
    ($code:literal) => {
        concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>",
            $code,
            "</Code><BucketName>status</BucketName><RequestId>tx00000a1b2c3d4e5f6-0065f0a1b2-1043-default</RequestId>\
             <HostId>1043-default-default</HostId></Error>"
        )
    };
}

/// Garage has one code for everything that it forbids.
macro_rules! garage {
    ($code:literal, $message:literal) => {
        concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>",
            $code,
            "</Code><Message>",
            $message,
            "</Message><Resource>/status/</Resource><Region>garage</Region></Error>"
        )
    };
}

const SWIFT_SIGNATURE: &str = "<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>The request \
    signature we calculated does not match the signature you provided. Check your key and signing method.</Message>\
    <RequestId>txa1b2c3d4e5f6-0065f0a1b2</RequestId></Error>";

use S3Cause::{
    Archived, Busy, CustomerKey, Denied, ExpiredToken, Fault, Kms, NoAnonymous, NoBucket, NoStorageClass, NotS3,
    OtherRegion, QuotaFull, ServerFull, Suspended, UnknownKey, WrongClock, WrongSecret,
};
use S3Dialect::{Amazon, Ceph, Garage, MinIo, S3rver, Swift, Website};

static REFUSALS: [S3Refusal; 45] = [
    refusal(
        Amazon,
        UnknownKey,
        403,
        error!("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    ),
    refusal(
        Amazon,
        WrongSecret,
        403,
        error!(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        ),
    ),
    refusal(Amazon, ExpiredToken, 400, error!("ExpiredToken", "The provided token has expired.")),
    refusal(
        Amazon,
        WrongClock,
        403,
        error!(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            "<ServerTime>2031-01-01T00:00:00Z</ServerTime><MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>"
        ),
    ),
    refusal(Amazon, Denied, 403, error!("AccessDenied", "Access Denied")),
    refusal(Amazon, NoBucket, 404, error!("NoSuchBucket", "The specified bucket does not exist")),
    refusal(
        Amazon,
        OtherRegion,
        400,
        error!(
            "AuthorizationHeaderMalformed",
            "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
            "<Region>eu-west-1</Region>"
        ),
    ),
    refusal(
        Amazon,
        OtherRegion,
        301,
        error!(
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
            "<Endpoint>status.s3.eu-west-1.amazonaws.com</Endpoint>"
        ),
    ),
    refusal(Amazon, NoStorageClass, 400, error!("InvalidStorageClass", "The storage class you specified is not valid")),
    refusal(
        Amazon,
        Archived,
        403,
        error!(
            "InvalidObjectState",
            "The operation is not valid for the object's storage class", "<StorageClass>GLACIER</StorageClass>"
        ),
    ),
    refusal(
        Amazon,
        CustomerKey,
        400,
        error!(
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."
        ),
    ),
    refusal(Amazon, Kms, 400, error!("KMS.DisabledException", "arn:aws:kms:eu-west-1:111122223333:key/0 is disabled.")),
    refusal(
        Amazon,
        Kms,
        403,
        error!(
            "AccessDenied",
            "User: arn:aws:iam::111122223333:user/monitor is not authorized to perform: kms:GenerateDataKey on the resource associated with this ciphertext"
        ),
    ),
    refusal(
        Amazon,
        Suspended,
        403,
        error!("AccountProblem", "There is a problem with your AWS account that prevents the operation."),
    ),
    refusal(Amazon, Busy, 503, error!("SlowDown", "Please reduce your request rate.")),
    refusal(Amazon, Fault, 500, error!("InternalError", "We encountered an internal error. Please try again.")),
    refusal(Ceph, UnknownKey, 403, ceph!("InvalidAccessKeyId")),
    refusal(Ceph, WrongSecret, 403, ceph!("SignatureDoesNotMatch")),
    refusal(Ceph, WrongClock, 403, ceph!("RequestTimeTooSkewed")),
    refusal(Ceph, NoAnonymous, 403, ceph!("AccessDenied")),
    refusal(Ceph, Denied, 403, ceph!("AccessDenied")),
    refusal(Ceph, NoBucket, 404, ceph!("NoSuchBucket")),
    refusal(Ceph, QuotaFull, 403, ceph!("QuotaExceeded")),
    refusal(Ceph, NoStorageClass, 400, ceph!("InvalidArgument")),
    refusal(Ceph, Suspended, 403, ceph!("UserSuspended")),
    refusal(Ceph, Busy, 503, ceph!("SlowDown")),
    refusal(Garage, UnknownKey, 403, garage!("AccessDenied", "Forbidden: No such key: GK31c2f218a2e44f485b94239e")),
    refusal(Garage, WrongSecret, 403, garage!("AccessDenied", "Forbidden: Invalid signature")),
    refusal(Garage, WrongClock, 400, garage!("InvalidRequest", "Bad request: Date is too old")),
    refusal(
        Garage,
        NoAnonymous,
        403,
        garage!("AccessDenied", "Forbidden: Garage does not support anonymous access yet"),
    ),
    refusal(Garage, Denied, 403, garage!("AccessDenied", "Forbidden: Operation is not allowed for this key.")),
    refusal(Garage, NoBucket, 404, garage!("NoSuchBucket", "Bucket not found: status")),
    refusal(
        Garage,
        OtherRegion,
        400,
        garage!(
            "AuthorizationHeaderMalformed",
            "Authorization header malformed, unexpected scope: 20260101/us-east-1/s3/aws4_request"
        ),
    ),
    refusal(
        Garage,
        QuotaFull,
        403,
        garage!("AccessDenied", "Forbidden: Object quota is reached, maximum objects for this bucket: 10"),
    ),
    refusal(
        Garage,
        Fault,
        503,
        garage!(
            "ServiceUnavailable",
            "Could not reach quorum of 2. 1 of 3 request succeeded, others returned errors: []"
        ),
    ),
    refusal(
        Swift,
        UnknownKey,
        403,
        "<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does \
         not exist in our records.</Message><RequestId>txa1b2c3d4e5f6-0065f0a1b2</RequestId></Error>",
    ),
    refusal(Swift, WrongSecret, 403, SWIFT_SIGNATURE),
    page(
        Swift,
        NoAnonymous,
        400,
        "<html><h1>Bad Request</h1><p>The server could not comply with the request since it is either malformed or otherwise incorrect.</p></html>",
    ),
    refusal(
        Swift,
        QuotaFull,
        413,
        "<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>EntityTooLarge</Code><Message>Upload exceeds quota.</Message></Error>",
    ),
    refusal(
        S3rver,
        WrongSecret,
        403,
        error!(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        ),
    ),
    refusal(S3rver, NoBucket, 404, error!("NoSuchBucket", "The specified bucket does not exist")),
    refusal(
        MinIo,
        ServerFull,
        507,
        error!(
            "XMinioStorageFull",
            "Storage backend has reached its minimum free drive threshold. Please delete a few objects to proceed."
        ),
    ),
    refusal(MinIo, QuotaFull, 400, error!("XMinioAdminBucketQuotaExceeded", "Bucket quota exceeded")),
    page(Website, NotS3, 404, "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"),
    page(
        Website,
        NotS3,
        405,
        "<html><head><title>405 Not Allowed</title></head><body><h1>Not Allowed</h1></body></html>",
    ),
];
