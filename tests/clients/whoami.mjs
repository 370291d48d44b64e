// What the AWS SDK for JavaScript finds in its own credential chain, and whether it works with it:
// prints the access key and the account as JSON. The environment says where everything is.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

const credentials = fromNodeProviderChain();
const { accessKeyId } = await credentials();
const client = new STSClient({ credentials, endpoint: process.env.AWS_ENDPOINT_URL_STS });
const { Account: account } = await client.send(new GetCallerIdentityCommand({}));
console.log(JSON.stringify({ accessKeyId, account }));
