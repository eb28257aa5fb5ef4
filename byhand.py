import sys
from confluent_kafka.admin import *
from confluent_kafka import Producer, KafkaException
base={'bootstrap.servers':'127.0.0.1:19292','security.protocol':'SASL_PLAINTEXT','sasl.mechanism':'PLAIN'}
a=AdminClient({**base,'sasl.username':'admin','sasl.password':'admin-secret'})
print({k:f.result() for k,f in a.create_topics([NewTopic('t',1,1)]).items()})
print({k:f.result() for k,f in a.alter_user_scram_credentials([UserScramCredentialUpsertion('ann',ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256,8192),b'pencil')]).items()})
print(a.describe_user_scram_credentials().result())
p=Producer({**base,'sasl.mechanism':'SCRAM-SHA-256','sasl.username':'ann','sasl.password':'pencil','message.timeout.ms':5000})
def rep(e,m): print('delivery',e)
p.produce('t',b'x',callback=rep); p.flush(8)
acl=AclBinding(ResourceType.TOPIC,'t',ResourcePatternType.LITERAL,'User:ann','*',AclOperation.WRITE,AclPermissionType.ALLOW)
print({k:f.result() for k,f in a.create_acls([acl]).items()})
p=Producer({**base,'sasl.mechanism':'SCRAM-SHA-256','sasl.username':'ann','sasl.password':'pencil','message.timeout.ms':5000,'enable.idempotence':True})
p.produce('t',b'x',callback=rep); p.flush(8)
f=AclBindingFilter(ResourceType.ANY,None,ResourcePatternType.ANY,None,None,AclOperation.ANY,AclPermissionType.ANY)
print(a.describe_acls(f).result())
print({k:x.result() for k,x in a.delete_acls([f]).items()})
print(a.describe_acls(f).result())
