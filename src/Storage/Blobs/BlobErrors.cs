namespace Zaffre.Storage.Blobs;

/// <summary>The catalogue of the blob protocol's failures: status, code and message in one place.</summary>
internal static class BlobErrors
{
    public static BlobException NoCredential(string challenge) => new(new BlobError(
        401, "NoAuthenticationInformation", "Server failed to authenticate the request. Send a SharedKey or Bearer Authorization header, or a shared access signature.")
    {
        Headers = [("WWW-Authenticate", challenge)],
    });

    public static BlobException BadToken(string challenge, string reason) => new(new BlobError(401, "InvalidAuthenticationInfo", reason)
    {
        Headers = [("WWW-Authenticate", challenge)],
    });

    public static BlobException AuthenticationFailed(string detail) =>
        New(403, "AuthenticationFailed", $"Server failed to authenticate the request: {detail}");

    public static BlobException NoSuchAccount(string account) =>
        New(404, "ResourceNotFound", $"There is no storage account '{account}' on this server.");

    public static BlobException PermissionMismatch(string needed) =>
        New(403, "AuthorizationPermissionMismatch", $"This request is not authorized: it needs {needed}.");

    public static BlobException ResourceTypeMismatch(string needed) =>
        New(403, "AuthorizationResourceTypeMismatch", $"The signature does not cover {needed}.");

    public static BlobException ServiceMismatch() => New(403, "AuthorizationServiceMismatch", "The signature is not for the blob service.");

    public static BlobException ProtocolMismatch() => New(403, "AuthorizationProtocolMismatch", "The signature allows HTTPS only.");

    public static BlobException SourceIpMismatch(string address) => New(403, "AuthorizationSourceIPMismatch", $"The signature does not allow requests from {address}.");

    public static BlobException ContainerNotFound() => New(404, "ContainerNotFound", "The specified container does not exist.");

    public static BlobException ContainerExists() => New(409, "ContainerAlreadyExists", "The specified container already exists.");

    public static BlobException BlobNotFound() => New(404, "BlobNotFound", "The specified blob does not exist.");

    public static BlobException BlobExists() => New(409, "BlobAlreadyExists", "The specified blob already exists.");

    public static BlobException NotModified() => New(304, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.");

    public static BlobException ConditionNotMet() => New(412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.");

    public static BlobException NoLease() => New(412, "LeaseNotPresentWithBlobOperation", "There is no lease on this resource; leases are not supported here.");

    public static BlobException InvalidBlobType() => New(409, "InvalidBlobType", "The blob type is invalid for this operation.");

    public static BlobException PathBlocked() =>
        New(409, "ResourceTypeMismatch", "The name leads over a link or a special file that lies in the container's folder; it cannot hold a blob.");

    public static BlobException InvalidRange(long size) => new(new BlobError(416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
    {
        Headers = [("Content-Range", $"bytes */{size}")],
    });

    public static BlobException RangeTooLarge() => New(400, "OutOfRangeInput", "A range hash is computed for ranges of at most 4 MiB.");

    public static BlobException InvalidUri(string why) => New(400, "InvalidUri", $"The request URI is invalid: {why}");

    public static BlobException InvalidName(string why) => New(400, "InvalidResourceName", $"The specified resource name is invalid: {why}");

    public static BlobException InvalidHeader(string name, string why) => New(400, "InvalidHeaderValue", $"The value of the header {name} is not valid: {why}");

    public static BlobException MissingHeader(string name) => New(400, "MissingRequiredHeader", $"The required header {name} was not sent.");

    public static BlobException InvalidQuery(string name, string why) => New(400, "InvalidQueryParameterValue", $"The value of the query parameter {name} is not valid: {why}");

    public static BlobException MissingQuery(string name) => New(400, "MissingRequiredQueryParameter", $"The required query parameter {name} was not sent.");

    public static BlobException OutOfRangeQuery(string name, string why) => New(400, "OutOfRangeQueryParameterValue", $"The query parameter {name} is out of range: {why}");

    public static BlobException InvalidXml(string why) => New(400, "InvalidXmlDocument", $"The XML of the request is not valid: {why}");

    public static BlobException InvalidBlockList(string why) => New(400, "InvalidBlockList", $"The specified block list is invalid: {why}");

    public static BlobException BlockListTooLong() => New(400, "BlockListTooLong", "The block list may not contain more than 50,000 blocks.");

    public static BlobException InvalidBlock(string why) => New(400, "InvalidBlobOrBlock", $"The specified blob or block content is invalid: {why}");

    public static BlobException Md5Mismatch() => New(400, "Md5Mismatch", "The MD5 value specified in the request did not match the MD5 value calculated by the server.");

    public static BlobException InvalidMd5() => New(400, "InvalidMd5", "The MD5 value specified in the request is invalid: it must be 128 bits in base64.");

    public static BlobException InvalidMetadata(string name) => New(400, "InvalidMetadata", $"The metadata name '{name}' is not a valid identifier.");

    public static BlobException InvalidMetadataValue(string name) => New(400, "InvalidMetadata", $"The metadata '{name}' has a value with characters other than printable ASCII, which headers cannot carry: encode it.");

    public static BlobException MetadataTooLarge() => New(400, "MetadataTooLarge", "The metadata exceeds 8 KiB.");

    public static BlobException LengthRequired() => New(411, "MissingContentLengthHeader", "The Content-Length header was not sent.");

    public static BlobException TooLarge(long limit) => New(413, "RequestBodyTooLarge", $"The request body exceeds the maximum of {limit} bytes.");

    public static BlobException AppendPosition() => New(412, "AppendPositionConditionNotMet", "The append position condition specified was not met.");

    public static BlobException MaxSize() => New(412, "MaxBlobSizeConditionNotMet", "The max blob size condition specified was not met.");

    /// <summary>413, since clients of this protocol retry every 5xx for minutes and take 409 for "exists already".</summary>
    public static BlobException Full(string message) => New(413, "InsufficientStorage", message);

    /// <summary>408, since what is slow now may be fast in a minute: clients send the request again.</summary>
    public static BlobException TooSlow() => New(408, "OperationTimedOut", "The request body arrived too slowly.");

    public static BlobException Incomplete() => New(400, "IncompleteBody", "The request body ended before Content-Length bytes.");

    public static BlobException Unsupported(string what) => New(400, "OperationNotSupported", $"{what} is not supported by this server.");

    public static BlobException PublicAccess() => New(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.");

    public static BlobException CannotVerifyCopySource(string why) => New(404, "CannotVerifyCopySource", $"The copy source could not be used: {why}");

    public static BlobException MethodNotAllowed(string method) => New(405, "UnsupportedHttpVerb", $"The resource doesn't support the HTTP verb {method}.");

    public static BlobException SourceConditionNotMet() => New(412, "SourceConditionNotMet", "The source condition specified using HTTP conditional header(s) is not met.");

    public static BlobException NoPendingCopy() => New(409, "NoPendingCopyOperation", "There is currently no pending copy operation: copies end before they are answered.");

    private static BlobException New(int status, string code, string message) => new(new BlobError(status, code, message));
}
