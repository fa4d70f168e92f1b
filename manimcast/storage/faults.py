"""What a bucket's refusal means, which setting it is about, and what helps.

Errors of obstore, and those that ``multipart.py`` makes of botocore's, carry the service's answer, of which S3's and
Azure's have a code that tells more than the HTTP status does, and below that the causes of a connection that did not
come about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from manimcast.settings import Settings
from manimcast.storage.model import BucketError
from manimcast.storage.places import endpoint
from manimcast.storage_settings import Place

_CODE = re.compile(r"<Code>\s*([A-Za-z][\w.]{2,80})\s*</Code>")
_STATUS = re.compile(r"status code: (\d{3})|\bstatus: (\d{3})\b")
_REGION = re.compile(r"<Region>\s*([a-z0-9-]{2,40})\s*</Region>|expecting '([a-z0-9-]{2,40})'")


@dataclass(frozen=True)
class _Fault:
    """A kind of refusal. ``said`` is what the service says, as codes; the texts are templates."""

    said: frozenset[str]
    what: str
    remedy: str
    is_lasting: bool = True


def _fault(codes: str, what: str, remedy: str, *, is_lasting: bool = True) -> _Fault:
    return _Fault(frozenset(codes.split()), what, remedy, is_lasting)


_KNOWN = (
    _fault(
        "InvalidAccessKeyId InvalidClientTokenId NotSignedUp",
        "{endpoint} does not know the access key",
        "Check S3_ACCESS_KEY_ID, and that S3_ENDPOINT is the service that it was made at.",
    ),
    _fault(
        "SignatureDoesNotMatch",
        "{endpoint} does not accept the signature",
        "Check S3_SECRET_ACCESS_KEY: it is not the secret of S3_ACCESS_KEY_ID (or a proxy changes the Host header).",
    ),
    _fault(
        "ExpiredToken InvalidToken TokenRefreshRequired",
        "{endpoint} does not accept the session token any more",
        "Renew the credentials that the environment or the machine's role gives.",
    ),
    _fault(
        "NoSuchBucket ContainerNotFound",
        "there is no bucket {bucket} at {endpoint}",
        "Check S3_BUCKET (or STORAGE_URL), or make the bucket; the service does not make it.",
    ),
    _fault(
        "RequestTimeTooSkewed RequestExpired",
        "this machine's clock and that of {endpoint} are too far apart",
        "Set this machine's clock (timedatectl set-ntp true, or chrony): signatures hold for 15 minutes only.",
    ),
    _fault(
        "PermanentRedirect TemporaryRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException "
        "InvalidRegion AuthorizationQueryParametersError",
        "the bucket {bucket} is in another region{region}",
        "Set S3_REGION to the bucket's region.",
    ),
    _fault(
        "AccessControlListNotSupported AccessControlListNotAllowed",
        "the bucket {bucket} takes no ACLs",
        "Leave S3_ACL out, let a bucket policy permit reading, and set S3_PUBLIC_URL_BASE.",
    ),
    _fault(
        "QuotaExceeded QuotaExceededException XMinioStorageFull XMinioAdminBucketQuotaExceeded InsufficientStorage "
        "InsufficientStorageSpace TotalEgressBandwidthExceeded StorageQuotaExceeded UsageLimitExceeded",
        "the bucket {bucket} is full",
        "Free some space, or raise its quota.",
        is_lasting=False,
    ),
    _fault(
        "NoSuchUpload InvalidPart InvalidPartOrder EntityTooSmall",
        "{endpoint} has given up an upload that was under way",
        "It begins anew; if that goes on, look at the bucket's lifecycle rules for unfinished uploads.",
        is_lasting=False,
    ),
    _fault(
        "KMS.DisabledException KMS.NotFoundException KMS.KMSInvalidStateException InvalidEncryptionAlgorithmError "
        "ServerSideEncryptionConfigurationNotFoundError KMSNotConfigured",
        "{endpoint} cannot encrypt as asked",
        "Check S3_ENCRYPTION and S3_KMS_KEY_ID.",
    ),
    _fault(
        "AccessDenied AllAccessDisabled AccountProblem AuthorizationFailure AuthorizationPermissionMismatch "
        "InsufficientAccountPermissions",
        "the credentials may not {doing} in the bucket {bucket}",
        "Permit s3:PutObject, s3:GetObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects (with S3_ACL "
        "also s3:PutObjectAcl, and no block of public access).",
    ),
    _fault(
        "AuthenticationFailed",
        "{endpoint} does not accept the credentials",
        "Check AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, and this machine's clock.",
    ),
)

_CONNECTING = (
    (
        r"BareRedirect",
        "the bucket {bucket} is in another region",
        "Set S3_REGION to the bucket's region, or S3_ENDPOINT to that region's address.",
    ),
    (
        r"invalid peer certificate|UnknownIssuer|InvalidCertificate|CertExpired|NotValidForName|"
        r"certificate verify failed",
        "{endpoint} has a certificate that is not trusted",
        "Put the certificate of whoever signed it into S3_CA_FILE, and check the name in S3_ENDPOINT.",
    ),
    (
        r"InvalidContentType|CorruptMessage|received corrupt message|WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE",
        "{endpoint} does not speak TLS",
        "If that is meant to be so, write http:// in S3_ENDPOINT.",
    ),
    (
        r"dns error|failed to lookup address|Name or service not known|Temporary failure in name resolution",
        "the name in {endpoint} is not known",
        "Check S3_ENDPOINT and this machine's DNS; with S3_FORCE_PATH_STYLE=false the bucket is part of the name.",
    ),
    (
        r"Connection refused|ConnectionRefused",
        "nobody listens at {endpoint}",
        "Check S3_ENDPOINT, and that the service runs.",
    ),
    (
        r"URL scheme is not allowed|BadScheme",
        "{endpoint} has no TLS, which S3_ENDPOINT does not permit",
        "Write the address that is meant into S3_ENDPOINT.",
    ),
    (
        r"TimedOut|operation timed out|Timeout",
        "{endpoint} does not answer",
        "Check S3_ENDPOINT, and firewalls on the way.",
    ),
)
_MACHINES = re.compile(r"//(169\.254\.|metadata[./])|Account must be specified")
"""Where the role of a machine is asked for when there is nothing else."""
_CREDENTIALS = {
    "s3": "Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY; this machine has no role that could stand for them.",
    "gcs": "Set GOOGLE_SERVICE_ACCOUNT to a key file; this machine has no account that could stand for it.",
    "azure": "Set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY unless this machine has an identity.",
}
_LASTING = frozenset(remedy for _, what, remedy in _CONNECTING if "certificate" in what or "region" in what)


def explain(error: Exception, doing: str, settings: Settings, place: Place) -> BucketError:
    """Return what ``error`` means, which came of ``doing`` something: write, read, delete."""
    text = str(error)
    if _MACHINES.search(text):
        return BucketError(f"there are no credentials for {place.kind}. {_CREDENTIALS[place.kind]}", is_lasting=True)
    region = next((f": {one or other}" for one, other in _REGION.findall(text)), "")
    where = {
        "endpoint": _NAMES.get(place.kind) or endpoint(settings),
        "bucket": place.bucket,
        "doing": doing,
        "region": region,
    }
    code = next(iter(_CODE.findall(text)), None)
    for fault in _KNOWN:
        if code in fault.said:
            return _told(fault.what, fault.remedy, where, is_lasting=fault.is_lasting, code=code)
    status = next((one or other for one, other in _STATUS.findall(text)), None)
    if status is None:
        for pattern, what, remedy in _CONNECTING:
            if re.search(pattern, text):
                return _told(what, remedy, where, is_lasting=remedy in _LASTING)
        return _told("{endpoint} cannot be reached", f"It says: {_first_line(text)}", where, is_lasting=False)
    if status == "507":
        return _told("the bucket {bucket} is full", "Free some space, or raise its quota.", where, is_lasting=False)
    if status in {"301", "307"}:
        return _told("the bucket {bucket} is elsewhere{region}", "Check S3_REGION and S3_ENDPOINT.", where)
    if status == "401":
        return _told("{endpoint} does not accept the credentials", "Check them.", where)
    if status == "403":
        return _told("the credentials may not {doing} in the bucket {bucket}", "Check what they permit.", where)
    if status == "404":
        remedy = "Check S3_BUCKET (or STORAGE_URL) and S3_ENDPOINT."
        return _told("there is no bucket {bucket} at {endpoint}", remedy, where)
    lasting = status.startswith("4") and status not in {"408", "429"}
    answer = f"HTTP status {status}{f', {code}' if code else ''}"
    return _told("{endpoint} answers with " + answer, f"It says: {_first_line(text)}", where, is_lasting=lasting)


_NAMES = {"gcs": "Google Cloud Storage", "azure": "Azure Blob Storage"}


def _told(
    what: str, remedy: str, where: dict[str, str], *, is_lasting: bool = True, code: str | None = None
) -> BucketError:
    because = f" ({code})" if code else ""
    return BucketError(f"{what.format(**where)}{because}. {remedy}", is_lasting=is_lasting)


def _first_line(text: str) -> str:
    """Return the start of obstore's message, which goes on with pages of the same in Rust."""
    return re.sub(r"\s+", " ", text.partition("\n\nDebug source")[0])[:400]
